#include "labelprobe/analysis/estimators.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/error.h"

#include "analysis/estimate/estimation.h"
#include "analysis/solve/sigmoid.h"

namespace labelprobe::analysis {

namespace {

constexpr auto kPlain = ModelState::Plain;
constexpr auto kTuned = ModelState::Tuned;

// In the order of the paper's tables.
constexpr std::array kEstimators = {
    Estimator{"baseline", "Compare-to-None",
              "compare to none: logits of the first label step (single-label: its softmax)",
              &kPlainItems, kPlain, LabelSets::All, estimate_baseline},
    Estimator{"output", "Hard Predictions", "hard predictions: the labels generated", &kPlainItems,
              kPlain, LabelSets::All, estimate_output},
    Estimator{"output_normalized", "Hard Predictions, sum 1", "hard predictions, summing to 1",
              &kPlainItems, kPlain, LabelSets::SingleLabel, estimate_output_normalized},
    Estimator{"unary", "Unary",
              "each label judged alone (single-label: softmax of the probabilities)", &kUnaryItems,
              kPlain, LabelSets::All, estimate_unary},
    Estimator{"unary_normalized", "Unary, sum 1", "each label judged alone, p / sum of p",
              &kUnaryItems, kPlain, LabelSets::SingleLabel, estimate_unary_normalized},
    Estimator{"binary", "Binary", "pairs of labels, by probabilities", &kBinaryItems, kPlain,
              LabelSets::All, estimate_binary},
    Estimator{"binary_outcome", "Binary outcomes", "pairs of labels, by winners", &kBinaryItems,
              kPlain, LabelSets::All, estimate_binary_outcome},
    Estimator{"max", "Max-over-generations", "the largest probability over all label steps",
              &kPlainItems, kPlain, LabelSets::MultiLabel, estimate_max},
    Estimator{"verbalized", "Verbalized", "the numbers that the answer gives the labels",
              &kPlainItems, kPlain, LabelSets::All, estimate_verbalized, "verbalized"},
    Estimator{"verbalized_expected", "Verbalized, expected",
              "the mean over all numbers where the answer gives one", &kPlainItems, kPlain,
              LabelSets::All, estimate_verbalized_expected, "verbalized"},
    Estimator{"SFT_output", "SFT outputs", "hard predictions of a fine-tuned model", &kPlainItems,
              kTuned, LabelSets::All, estimate_output},
    Estimator{"SFT_max", "SFT max", "the largest probability of a fine-tuned model", &kPlainItems,
              kTuned, LabelSets::MultiLabel, estimate_max},
};

constexpr auto kPositions = enum_names<AnswerPosition>("answer position",
                                                       {{AnswerPosition::Greedy, "greedy"},
                                                        {AnswerPosition::First, "first"},
                                                        {AnswerPosition::Healed, "healed"}});

}  // namespace

AnswerPosition parse_answer_position(std::string_view name) {
  return kPositions.parse(name);
}

std::string_view name_of(AnswerPosition position) {
  return kPositions.name_of(position);
}

std::span<const Estimator> estimators() {
  return kEstimators;
}

const Estimator& find_estimator(std::string_view name, LabelKind kind) {
  std::vector<std::string> fitting;
  for (const Estimator& estimator : kEstimators) {
    if (estimator.fits(kind)) fitting.emplace_back(estimator.name);
  }
  const auto found = std::find_if(kEstimators.begin(), kEstimators.end(),
                                  [&](const Estimator& row) { return row.name == name; });
  if (found == kEstimators.end()) throw ConfigError(unknown_choice("estimator", name, fitting));
  if (!found->fits(kind)) {
    const bool is_multi = kind == LabelKind::MultiLabel;
    throw ConfigError(
        fmt::format("estimator '{}' is defined for {}-label sets only; for {}-label sets there "
                    "are: {}",
                    name, is_multi ? "single" : "multi", is_multi ? "multi" : "single",
                    fmt::join(fitting, ", ")));
  }
  return *found;
}

Estimates estimate(const Estimator& estimator,
                   std::span<const record::ItemRecord> items,
                   const LabelSet& label_set,
                   const EstimatorOptions& options) {
  LABELPROBE_CHECK(estimator.fits(label_set.kind()));
  const std::vector<LogItem> parsed = parse_items(items, *estimator.items, label_set);
  Estimates estimates;
  estimates.estimator = estimator.name;
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
  estimator.run({parsed, label_set, options, estimator.readout}, estimates);
  return estimates;
}

std::vector<double> scaled_probs(const std::vector<double>& inputs, const PlattScaling& platt) {
  std::vector<double> probs;
  probs.reserve(inputs.size());
  for (const double x : inputs) probs.push_back(sigmoid(platt.weight * x + platt.bias));
  return probs;
}

std::string count_of(std::size_t n, std::size_t n_all, std::string_view what) {
  return fmt::format("{} of {} {}", n, n_all, what);
}

}  // namespace labelprobe::analysis
