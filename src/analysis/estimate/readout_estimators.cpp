// Estimators that take over what a run's readouts say.
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "analysis/estimate/estimation.h"

namespace labelprobe::analysis {

namespace {

// A row whose texts live as long as the program.
struct ReadoutRow {
  std::string readout;
  std::string name;
  std::string title;
  std::string summary;
  Estimator estimator;
};

void estimate_readout(const EstimationInput& input, Estimates& estimates) {
  std::vector<std::string> without;
  for (const LogItem& item : input.items) {
    if (item.has_failed()) continue;
    const record::ReadoutValues* readout =
        find_readout(item, input.readout, record::ReadoutPlace::Prompt);
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

const Estimator& readout_estimator(const std::string& readout, const ItemForm& items) {
  static std::map<std::pair<std::string, std::string>, std::unique_ptr<ReadoutRow>> rows;
  std::unique_ptr<ReadoutRow>& row = rows[{readout, std::string(items.name)}];
  if (row) return row->estimator;
  row = std::make_unique<ReadoutRow>();
  const bool has_words = items.asks_about_labels();
  row->readout = readout;
  row->name = has_words ? fmt::format("{}_{}", items.name, readout) : readout;
  row->title = has_words ? fmt::format("{}, {}", items.name, readout) : readout;
  row->summary = fmt::format("the readout {} of a run's --readouts", readout);
  Estimator& estimator = row->estimator;
  estimator.name = row->name;
  estimator.title = row->title;
  estimator.summary = row->summary;
  estimator.items = &items;
  estimator.readout = row->readout;
  estimator.run = !has_words               ? estimate_readout
                  : &items == &kUnaryItems ? estimate_unary
                                           : estimate_binary;
  return estimator;
}

}  // namespace labelprobe::analysis
