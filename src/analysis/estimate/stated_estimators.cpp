// Estimators of runs whose answers state a number for every label.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/estimate/estimation.h"
#include "analysis/solve/softmax.h"

namespace labelprobe::analysis {

namespace {

using Reading = record::LabelValues record::ItemRecord::*;

// An example counts only if its answer has a readable number for every label: what is missing is
// not 0.
void estimate_stated(const EstimationInput& input,
                     Reading reading,
                     std::string_view what_is_missing,
                     Estimates& estimates) {
  std::vector<std::string> left_out;
  for (const LogItem& item : input.items) {
    if (item.has_failed()) continue;
    const record::LabelValues& values = item.record->*reading;
    std::vector<double> probs;
    for (const std::string& name : input.label_set.names()) {
      if (find_value(values, name)) probs.push_back(prob_of(item, values, name));
    }
    if (probs.size() < input.label_set.names().size()) {
      left_out.push_back(item.record->key);
      continue;
    }
    ++estimates.n_answers_found;
    estimates.probs[item.id.example_id] =
        input.label_set.is_multilabel() ? std::move(probs) : normalized(std::move(probs));
  }
  if (!left_out.empty()) {
    estimates.warnings.push_back(
        count_of(left_out.size(), estimates.n_items, what_is_missing) +
        " for some label, and their examples are left out: " + list_some(left_out));
  }
}

}  // namespace

void estimate_verbalized(const EstimationInput& input, Estimates& estimates) {
  estimate_stated(input, &record::ItemRecord::reported_probs, "answers lack a number", estimates);
}

void estimate_verbalized_expected(const EstimationInput& input, Estimates& estimates) {
  estimate_stated(input, &record::ItemRecord::expected_probs,
                  "answers have no expected number, which only numbers of one token have,",
                  estimates);
}

}  // namespace labelprobe::analysis
