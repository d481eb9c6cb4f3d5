#include "training/probes/probe_metrics.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/analysis/classification_metrics.h"

namespace labelprobe::training {

namespace {

using analysis::LabelledPair;
using Metrics = std::map<std::string, double>;

// Adds the metrics of the pairs, their names between `before` and `behind`; of no pairs none.
void add(Metrics& metrics,
         const std::vector<LabelledPair>& pairs,
         const LabelSet& label_set,
         const std::string& before,
         const std::string& behind) {
  if (pairs.empty()) return;
  const auto put = [&](const char* name, double number) {
    metrics[before + name + behind] = number;
  };
  if (!label_set.is_multilabel()) {
    const Metrics found = analysis::single_label_metrics(pairs, label_set);
    put("accuracy", found.at("accuracy"));
    put("f1", found.at("macro_f1"));
    return;
  }
  const Metrics found = analysis::classification_metrics(pairs, label_set);
  put("js", found.at("jaccard_score"));
  put("macro_f1", found.at("macro_f1"));
  put("micro_f1", found.at("micro_f1"));
}

Labels without(const Labels& labels, LabelIndex label) {
  Labels rest = labels;
  std::erase(rest, label);
  return rest;
}

// Labels behind the one that is taken out move up.
Labels without_column(const Labels& labels, LabelIndex column) {
  Labels rest = without(labels, column);
  for (LabelIndex& label : rest) label -= label > column ? 1 : 0;
  return rest;
}

// As many columns as labels but for one; what they are called says nothing.
LabelSet columns_but_one(const LabelSet& label_set) {
  std::vector<std::string> names;
  for (int i = 1; i < label_set.size(); ++i) names.push_back(fmt::format("column {}", i));
  return {names, label_set.kind()};
}

void add_without_first(Metrics& metrics,
                       std::span<const ProbedLabels> items,
                       const LabelSet& label_set) {
  std::vector<LabelledPair> by_column;
  std::vector<LabelledPair> by_label;
  for (const ProbedLabels& item : items) {
    const std::optional<LabelIndex> first = first_label(item.answer, label_set);
    if (!first) continue;
    by_column.push_back(
        {without_column(*item.predicted, *first), without_column(item.by_predicted_probe, *first)});
    by_label.push_back(
        {without(*item.predicted, *first), without(item.by_predicted_probe, *first)});
  }
  if (by_column.empty() || label_set.size() < 2) return;
  add(metrics, by_column, columns_but_one(label_set), "", "_nonfirst");
  // A cell that both lack counts in no F1.
  metrics["macro_f1_nonfirst_by_label"] =
      analysis::classification_metrics(by_label, label_set).at("macro_f1");
}

}  // namespace

std::optional<LabelIndex> first_label(const std::string& answer, const LabelSet& label_set) {
  std::optional<LabelIndex> first;
  std::size_t earliest = std::string::npos;
  for (LabelIndex label = 0; label < label_set.size(); ++label) {
    const std::size_t place = answer.find(label_set.names()[static_cast<std::size_t>(label)]);
    if (place < earliest) {
      earliest = place;
      first = label;
    }
  }
  return first;
}

Metrics gold_metrics(std::span<const ProbedLabels> items, const LabelSet& label_set) {
  std::vector<LabelledPair> by_probe;
  std::vector<LabelledPair> by_model;
  for (const ProbedLabels& item : items) {
    by_probe.push_back({item.gold, item.by_gold_probe});
    by_model.push_back({item.gold, item.predicted.value_or(Labels{})});
  }
  Metrics metrics;
  add(metrics, by_probe, label_set, "", "");
  add(metrics, by_model, label_set, "llm_", "");
  return metrics;
}

Metrics predicted_metrics(std::span<const ProbedLabels> items, const LabelSet& label_set) {
  std::vector<LabelledPair> all;
  std::vector<LabelledPair> nonzero;
  for (const ProbedLabels& item : items) {
    if (!item.predicted) continue;
    all.push_back({*item.predicted, item.by_predicted_probe});
    if (!item.predicted->empty()) nonzero.push_back(all.back());
  }
  Metrics metrics;
  add(metrics, all, label_set, "", "");
  if (label_set.is_multilabel()) {
    add(metrics, nonzero, label_set, "", "_nonzero");
    add_without_first(metrics, items, label_set);
  }
  return metrics;
}

}  // namespace labelprobe::training
