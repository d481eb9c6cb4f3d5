#include "experiment/run/scoring.h"

#include <cstdint>
#include <vector>

#include "labelprobe/analysis/classification_metrics.h"
#include "labelprobe/core/error.h"

namespace labelprobe::experiment {

namespace {

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
                 const ItemNotes& items) {
  LABELPROBE_CHECK(items.size() == right.size());
  RunMetrics metrics;
  for (const auto& [annotator, own] : items.by_annotator()) {
    ScoredItems scored;
    for (const std::uint32_t i : own) {
      if (items.is_failed(i) || !right[i]) continue;
      scored.add({*right[i], items.predictions(i)}, items.says_something(i));
    }
    if (scored.all.empty()) continue;
    record::Metrics values = metrics_of(scored, plan, answer_set);
    if (annotator == kAggregate) {
      metrics.aggregate = std::move(values);
    } else {
      metrics.annotators[annotator] = std::move(values);
    }
  }
  return metrics;
}

}  // namespace labelprobe::experiment
