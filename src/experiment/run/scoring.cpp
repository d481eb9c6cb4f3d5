#include "experiment/run/scoring.h"

#include <algorithm>
#include <vector>

#include "labelprobe/analysis/classification_metrics.h"
#include "labelprobe/core/error.h"

namespace labelprobe::experiment {

namespace {

Labels labels_of(const std::vector<std::string>& names, const LabelSet& label_set) {
  Labels labels;
  for (const std::string& name : names) {
    const auto label = label_set.index_of(name);
    if (!label) {
      throw DataError("a journalled item names '" + name +
                      "': " + unknown_choice("label", name, label_set.names()));
    }
    labels.push_back(*label);
  }
  std::sort(labels.begin(), labels.end());
  return labels;
}

}  // namespace

RunMetrics score(const Settings& settings,
                 const Questions& questions,
                 std::span<const record::ItemRecord* const> items) {
  LABELPROBE_CHECK(items.size() == questions.queries.size());
  std::map<std::string, std::vector<analysis::LabelledPair>> pairs;  // by annotator
  for (std::size_t i = 0; i < items.size(); ++i) {
    const record::ItemRecord& item = *items[i];
    if (item.failure) continue;
    if (const auto gold = settings.plan->right_answer(questions, questions.queries[i])) {
      pairs[item.annotator].push_back({*gold, labels_of(item.predictions, questions.answer_set)});
    }
  }
  RunMetrics metrics;
  for (const auto& [annotator, labelled] : pairs) {
    record::Metrics values = settings.plan->metrics(labelled, questions.answer_set);
    if (annotator == kAggregate) {
      metrics.aggregate = std::move(values);
    } else {
      metrics.annotators[annotator] = std::move(values);
    }
  }
  return metrics;
}

}  // namespace labelprobe::experiment
