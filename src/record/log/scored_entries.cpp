#include "record/log/scored_entries.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/example.h"

#include "record/log/log_reader.h"

namespace labelprobe::record {

using files::JsonF32;

namespace {

// A multi-hot vector, or the class.
JsonF32 encode(const Labels& labels, const LabelSet& label_set) {
  if (!label_set.is_multilabel()) return static_cast<std::int64_t>(labels.at(0));
  std::vector<std::int64_t> hot(static_cast<std::size_t>(label_set.size()), 0);
  for (const LabelIndex label : labels) hot.at(static_cast<std::size_t>(label)) = 1;
  return hot;
}

std::vector<double> read_scores(const files::YamlView& entry) {
  const auto scores = entry.find("test_scores");
  if (!scores) return {};
  if (!scores->is_list()) {
    scores->fail("test_scores: expected a list of numbers, as logs of Demux have it, found " +
                 scores->shown());
  }
  std::vector<double> numbers;
  for (const files::YamlView& score : scores->items()) {
    const auto number = score.number();
    if (!number) {
      score.fail("test_scores: expected a list of numbers, as logs of Demux have it, found in it " +
                 score.shown());
    }
    numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace

JsonF32 entry_of(const ScoredItem& item, const TrainingLog& log) {
  JsonF32 entry = {{"test_text", item.text}};
  const JsonF32 gold = encode(item.gold, log.label_set);
  if (item.test) {
    entry["test_gt"] = gold;
    entry["test_preds"] = encode(item.test->predicted, log.label_set);
    entry["test_scores"] = item.test->scores;
  }
  if (item.dev.empty()) return entry;
  entry["dev_gt"] = gold;
  JsonF32& preds = entry["dev_preds"] = JsonF32::array();
  JsonF32& scores = entry["dev_scores"] = JsonF32::array();
  for (const ScoredLabels& each : item.dev) {
    preds.push_back(encode(each.predicted, log.label_set));
    scores.push_back(each.scores);
  }
  if (log.best) {
    entry["best_dev_preds"] = preds.at(*log.best);
    entry["best_dev_scores"] = scores.at(*log.best);
  }
  return entry;
}

nlohmann::json metrics_of(const TrainingLog& log) {
  nlohmann::json metrics = nlohmann::json::object();
  for (const auto& [name, number] : log.test_metrics) metrics["test_" + name] = number;
  for (const auto& [name, numbers] : log.dev_metrics) {
    metrics["dev_" + name] = numbers;
    if (log.best) metrics["best_dev_" + name] = numbers.at(*log.best);
  }
  return metrics;
}

nlohmann::json steps_of(const TrainingLog& log) {
  nlohmann::json steps = nlohmann::json::object();
  for (const auto& [name, numbers] : log.dev_metrics) steps["dev_" + name] = log.steps;
  return steps;
}

ScoreLists read_score_lists(const std::filesystem::path& folder, int index) {
  const int chosen = choose_logged(folder, index);
  const files::MappedFile file = open_items_file(folder);
  const LogEntries entries = open_items(folder, file, chosen);
  const std::string ending = fmt::format("{}{}", kIdSeparator, kAggregate);
  ScoreLists lists;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const files::YamlView entry = entries.parse(i);
    if (!entry.is_map()) entry.fail_expected("a mapping of fields to values");
    std::vector<double> scores = read_scores(entry);
    if (scores.empty()) continue;
    std::string key = entries.key(i);
    if (key.ends_with(ending)) key.resize(key.size() - ending.size());
    if (!lists.emplace(key, std::move(scores)).second) {
      entry.fail(fmt::format("expected each id once, found '{}' again", key));
    }
  }
  if (lists.empty()) {
    throw DataError(fmt::format("{}: expected items with test_scores in experiment_{}, found none",
                                (folder / "indexed_metrics.yml").string(), chosen));
  }
  return lists;
}

}  // namespace labelprobe::record
