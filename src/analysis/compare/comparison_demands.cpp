// What two runs are expected to have in common: their settings, and numbers within a limit.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "labelprobe/analysis/comparison_report.h"

namespace labelprobe::analysis {

namespace {

bool is_unset(const std::string& text) {
  return text.empty() || text == "null" || text == "false" || text == "0";
}

bool is_about_folders(const std::string& name) {
  constexpr std::array kNames = {"log_root", "alternative_experiment_name", "description"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::string n_items(std::size_t n) {
  return fmt::format("{} {}", n, n == 1 ? "item" : "items");
}

// "item 'de0', step 1, joy: 0.25 against 0.5" of the item that differs most.
std::string describe_largest(const RunComparison& comparison) {
  const LargestDifference& worst = comparison.worst.front();
  const ComparedItem& item = comparison.items[worst.item];
  const ComparedStep& step = item.steps[worst.step];
  return fmt::format("item '{}', step {}, {}: {:.9f} against {:.9f}", item.key, step.place,
                     step.labels[worst.label], step.probs_a[worst.label],
                     step.probs_b[worst.label]);
}

void add_keys(const std::vector<std::string>& keys,
              std::string_view what,
              std::vector<std::string>& sentences) {
  if (keys.empty()) return;
  sentences.push_back(
      fmt::format("{}: {}, the first '{}'", what, n_items(keys.size()), keys.front()));
}

void add_stated(const RunComparison& comparison,
                std::vector<std::string> ComparedItem::*labels,
                std::string_view what,
                std::vector<std::string>& sentences) {
  std::vector<std::string> keys;
  for (const ComparedItem& item : comparison.items) {
    if (!(item.*labels).empty()) keys.push_back(item.key);
  }
  add_keys(keys, what, sentences);
}

}  // namespace

std::vector<SettingDifference> compare_settings(const record::LoggedParams& a,
                                                const record::LoggedParams& b) {
  record::LoggedParams names = a;
  names.insert(b.begin(), b.end());
  std::vector<SettingDifference> differences;
  for (const auto& [name, first] : names) {
    const auto of_a = a.find(name);
    const auto of_b = b.find(name);
    const std::string value_a = of_a == a.end() ? "" : of_a->second;
    const std::string value_b = of_b == b.end() ? "" : of_b->second;
    const bool is_in_one = of_a == a.end() || of_b == b.end();
    if (value_a == value_b || is_about_folders(name)) continue;
    if (is_in_one && is_unset(value_a) && is_unset(value_b)) continue;
    differences.push_back({name, value_a, value_b});
  }
  return differences;
}

std::vector<std::string> describe_excesses(const RunComparison& comparison, double max_difference) {
  std::vector<std::string> sentences;
  const auto n_beyond = static_cast<std::size_t>(
      std::count_if(comparison.worst.begin(), comparison.worst.end(),
                    [&](const LargestDifference& w) { return w.difference > max_difference; }));
  if (n_beyond > 0) {
    sentences.push_back(fmt::format("probabilities differ by more than {:g} in {}; most: {}",
                                    max_difference, n_items(n_beyond),
                                    describe_largest(comparison)));
  }
  add_keys(comparison.only_a, "only in A", sentences);
  add_keys(comparison.only_b, "only in B", sentences);
  if (comparison.failed_a != comparison.failed_b) {
    add_keys(comparison.failed_a, "failed in A", sentences);
    add_keys(comparison.failed_b, "failed in B", sentences);
  }
  add_stated(comparison, &ComparedItem::stated_only_a, "number stated only in A", sentences);
  add_stated(comparison, &ComparedItem::stated_only_b, "number stated only in B", sentences);
  return sentences;
}

}  // namespace labelprobe::analysis
