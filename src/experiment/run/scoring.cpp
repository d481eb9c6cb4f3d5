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

// The items of an annotator, and those of them whose answers say something of what was asked.
struct ScoredItems {
  std::vector<analysis::LabelledPair> all;
  std::vector<analysis::LabelledPair> answered;

  void add(analysis::LabelledPair pair, bool is_answered) {
    if (is_answered) answered.push_back(pair);
    all.push_back(std::move(pair));
  }
};

// The published metrics, of all items; beside them, where answers list labels, how many answers
// name none and what stands over the others.
record::Metrics metrics_of(const ScoredItems& items, const Plan& plan, const LabelSet& answer_set) {
  record::Metrics values = plan.metrics(items.all, answer_set);
  if (!plan.lists_labels) return values;
  const record::Metrics answered = plan.metrics(items.answered, answer_set);
  for (const char* name : {"accuracy", "micro_f1", "macro_f1", "jaccard_score"}) {
    if (const auto found = answered.find(name); found != answered.end()) {
      values[std::string("answered_") + name] = found->second;
    }
  }
  values["n_without_answer"] = static_cast<double>(items.all.size() - items.answered.size());
  return values;
}

}  // namespace

std::vector<std::optional<Labels>> right_answers(const Settings& settings,
                                                 const Questions& questions) {
  std::vector<std::optional<Labels>> right;
  for (const prompt::Query& query : questions.queries) {
    right.push_back(settings.plan->right_answer(questions, query));
  }
  return right;
}

RunMetrics score(const Plan& plan,
                 const LabelSet& answer_set,
                 std::span<const std::optional<Labels>> right,
                 std::span<const record::ItemRecord* const> items) {
  LABELPROBE_CHECK(items.size() == right.size());
  std::map<std::string, ScoredItems> scored;  // by annotator
  for (std::size_t i = 0; i < items.size(); ++i) {
    const record::ItemRecord& item = *items[i];
    if (item.failure || !right[i]) continue;
    scored[item.annotator].add({*right[i], labels_of(item.predictions, answer_set)},
                               item.answer_source != record::AnswerSource::Nothing);
  }
  RunMetrics metrics;
  for (const auto& [annotator, pairs] : scored) {
    record::Metrics values = metrics_of(pairs, plan, answer_set);
    if (annotator == kAggregate) {
      metrics.aggregate = std::move(values);
    } else {
      metrics.annotators[annotator] = std::move(values);
    }
  }
  return metrics;
}

}  // namespace labelprobe::experiment
