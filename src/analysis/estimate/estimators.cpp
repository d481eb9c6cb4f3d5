#include "labelprobe/analysis/estimators.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "labelprobe/core/error.h"

#include "analysis/estimate/estimation.h"
#include "analysis/estimate/sigmoid.h"

namespace labelprobe::analysis {

namespace {

using Kind = ItemId::Kind;

// In the order of the paper's tables.
constexpr std::array kInfos = {
    EstimatorInfo{"baseline",
                  "compare to none: logits of the first label step (single-label: "
                  "its softmax)",
                  Kind::Example, false},
    EstimatorInfo{"output", "hard predictions: the labels generated", Kind::Example, false},
    EstimatorInfo{"output_normalized", "hard predictions, summing to 1", Kind::Example, false,
                  true},
    EstimatorInfo{"unary", "each label judged alone (single-label: softmax of the probabilities)",
                  Kind::Unary, false},
    EstimatorInfo{"unary_normalized", "each label judged alone, p / sum of p", Kind::Unary, false,
                  true},
    EstimatorInfo{"binary", "pairs of labels, by probabilities", Kind::Binary, false},
    EstimatorInfo{"binary_outcome", "pairs of labels, by winners", Kind::Binary, false},
    EstimatorInfo{"max", "the largest probability over all label steps", Kind::Example, true},
    EstimatorInfo{"SFT_output", "hard predictions of a fine-tuned model", Kind::Example, false},
    EstimatorInfo{"SFT_max", "the largest probability of a fine-tuned model", Kind::Example, true},
};

// In the order of kInfos.
constexpr std::array kMethods = {
    estimate_baseline,         estimate_output, estimate_output_normalized, estimate_unary,
    estimate_unary_normalized, estimate_binary, estimate_binary_outcome,    estimate_max,
    estimate_output,           estimate_max,
};
static_assert(kInfos.size() == kMethods.size());

struct PositionName {
  AnswerPosition position;
  std::string_view name;
};
constexpr std::array kPositions = {
    PositionName{AnswerPosition::Greedy, "greedy"},
    PositionName{AnswerPosition::First, "first"},
    PositionName{AnswerPosition::Healed, "healed"},
};

std::size_t find_estimator(std::string_view name, LabelKind kind) {
  std::vector<std::string> fitting;
  for (const EstimatorInfo& info : kInfos) {
    if (info.fits(kind)) fitting.emplace_back(info.name);
  }
  const auto found = std::find_if(kInfos.begin(), kInfos.end(),
                                  [&](const EstimatorInfo& info) { return info.name == name; });
  if (found == kInfos.end()) throw ConfigError(unknown_choice("estimator", name, fitting));
  if (!found->fits(kind)) {
    std::string known;
    for (const std::string& other : fitting) known += (known.empty() ? "" : ", ") + other;
    const bool is_multi = kind == LabelKind::MultiLabel;
    throw ConfigError("estimator '" + std::string(name) + "' is defined for " +
                      (is_multi ? "single" : "multi") + "-label sets only; for " +
                      (is_multi ? "multi" : "single") + "-label sets there are: " + known);
  }
  return static_cast<std::size_t>(found - kInfos.begin());
}

}  // namespace

AnswerPosition parse_answer_position(std::string_view name) {
  std::vector<std::string> known;
  for (const PositionName& position : kPositions) {
    if (position.name == name) return position.position;
    known.emplace_back(position.name);
  }
  throw ConfigError(unknown_choice("answer position", name, known));
}

std::string_view name_of(AnswerPosition position) {
  const auto found = std::find_if(kPositions.begin(), kPositions.end(),
                                  [&](const auto& entry) { return entry.position == position; });
  LABELPROBE_CHECK(found != kPositions.end());
  return found->name;
}

std::span<const EstimatorInfo> estimators() {
  return kInfos;
}

Estimates estimate(std::string_view estimator,
                   std::span<const record::ItemRecord> items,
                   const LabelSet& label_set,
                   const EstimatorOptions& options) {
  const std::size_t which = find_estimator(estimator, label_set.kind());
  const std::vector<LogItem> parsed = parse_items(items, kInfos[which].items, label_set);
  Estimates estimates;
  estimates.estimator = estimator;
  std::vector<std::string> failed;
  for (const LogItem& item : parsed) {
    if (item.has_failed()) failed.push_back(item.record->key);
  }
  estimates.n_failed = failed.size();
  estimates.n_items = parsed.size() - failed.size();
  if (!failed.empty()) {
    estimates.warnings.push_back(
        count_of(failed.size(), parsed.size(), "items failed and are left out: ") +
        list_some(failed));
  }
  kMethods[which]({parsed, label_set, options}, estimates);
  return estimates;
}

std::vector<double> scaled_probs(const std::vector<double>& inputs, const PlattScaling& platt) {
  std::vector<double> probs;
  probs.reserve(inputs.size());
  for (const double x : inputs) probs.push_back(sigmoid(platt.weight * x + platt.bias));
  return probs;
}

std::vector<double> normalized(std::vector<double> numbers) {
  double sum = 0.0;
  for (const double number : numbers) sum += number;
  for (double& number : numbers) {
    number = sum > 0.0 ? number / sum : 1.0 / static_cast<double>(numbers.size());
  }
  return numbers;
}

std::vector<double> softmax(const std::vector<double>& numbers) {
  std::vector<double> powers;
  powers.reserve(numbers.size());
  const double most = numbers.empty() ? 0.0 : *std::max_element(numbers.begin(), numbers.end());
  for (const double number : numbers) powers.push_back(std::exp(number - most));
  return normalized(std::move(powers));
}

std::string count_of(std::size_t n, std::size_t n_all, const std::string& what) {
  return std::to_string(n) + " of " + std::to_string(n_all) + " " + what;
}

}  // namespace labelprobe::analysis
