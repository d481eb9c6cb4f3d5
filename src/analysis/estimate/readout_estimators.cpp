// Estimators that take over what a run's readouts say.
#include <map>
#include <memory>
#include <string>

#include "analysis/estimate/estimation.h"

namespace labelprobe::analysis {

namespace {

// A row whose texts live as long as the program.
struct ReadoutRow {
  std::string name;
  std::string summary;
  Estimator estimator;
};

const record::ReadoutValues* find_readout(const LogItem& item, std::string_view name) {
  for (const record::ReadoutValues& readout : item.record->readouts) {
    if (readout.name == name) return &readout;
  }
  return nullptr;
}

// The readout of the estimator's name.
void estimate_readout(const EstimationInput& input, Estimates& estimates) {
  std::vector<std::string> without;
  for (const LogItem& item : input.items) {
    if (item.has_failed()) continue;
    const record::ReadoutValues* readout = find_readout(item, estimates.estimator);
    if (readout == nullptr) {
      without.push_back(item.record->key);
      continue;
    }
    ++estimates.n_answers_found;
    std::vector<double>& probs = estimates.probs[item.id.example_id];
    for (const std::string& name : input.label_set.names()) {
      probs.push_back(prob_of(item, readout->probs, name));
    }
  }
  if (!without.empty()) {
    estimates.warnings.push_back(count_of(without.size(), estimates.n_items,
                                          "items have no such readout and are left out: ") +
                                 list_some(without));
  }
}

}  // namespace

const Estimator& readout_estimator(const std::string& readout) {
  static std::map<std::string, std::unique_ptr<ReadoutRow>> rows;
  std::unique_ptr<ReadoutRow>& row = rows[readout];
  if (!row) {
    row = std::make_unique<ReadoutRow>(
        ReadoutRow{readout, "the readout " + readout + " of a run's --readouts", {}});
    row->estimator.name = row->name;
    row->estimator.title = row->name;
    row->estimator.summary = row->summary;
    row->estimator.run = estimate_readout;
    row->estimator.is_readout = true;
  }
  return row->estimator;
}

}  // namespace labelprobe::analysis
