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

// Whether the gold labels of a query have this name; `none` is had by those without labels.
bool has_label(const std::vector<std::string>& gold, const std::string& name) {
  return std::find(gold.begin(), gold.end(), name) != gold.end() ||
         (gold.empty() && name == kNoneLabel);
}

// The right answer to a query, as labels of the answer set; unset where there is none: of a pair of
// labels both or neither of which is right. (The published programs log constants here.)
std::optional<Labels> right_answer(const prompt::Query& query,
                                   const Questions& questions,
                                   const record::ItemRecord& item) {
  const std::vector<std::string>& asked = query.item.labels;
  switch (query.item.kind) {
    case ItemId::Kind::Unary:
      return Labels{has_label(item.gold, asked[0]) ? 0 : 1};
    case ItemId::Kind::Binary: {
      const bool is_first = has_label(item.gold, asked[0]);
      if (is_first == has_label(item.gold, asked[1])) return std::nullopt;
      return Labels{is_first ? 0 : 1};
    }
    case ItemId::Kind::Example:
    case ItemId::Kind::Ratio:
      break;
  }
  return labels_of(item.gold, questions.answer_set);
}

record::Metrics metrics_of(const Settings& settings,
                           const Questions& questions,
                           std::span<const analysis::LabelledPair> pairs) {
  if (settings.program == Program::Pair) {
    return analysis::pair_metrics(pairs);
  }
  if (settings.program == Program::Plain && !questions.label_set.is_multilabel()) {
    return analysis::single_label_metrics(pairs, questions.answer_set);
  }
  return analysis::classification_metrics(pairs, questions.answer_set);
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
    if (const auto gold = right_answer(questions.queries[i], questions, item)) {
      pairs[item.annotator].push_back({*gold, labels_of(item.predictions, questions.answer_set)});
    }
  }
  RunMetrics metrics;
  for (const auto& [annotator, labelled] : pairs) {
    record::Metrics values = metrics_of(settings, questions, labelled);
    if (annotator == kAggregate) {
      metrics.aggregate = std::move(values);
    } else {
      metrics.annotators[annotator] = std::move(values);
    }
  }
  return metrics;
}

}  // namespace labelprobe::experiment
