#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/analysis/calibration.h"
#include "labelprobe/core/error.h"

#include "analysis/calibrate/fits.h"
#include "analysis/calibrate/samples.h"
#include "analysis/solve/sigmoid.h"
#include "analysis/solve/softmax.h"

namespace labelprobe::analysis {

namespace {

using Scope = ParameterInfo::Scope;

constexpr double kMost = std::numeric_limits<double>::max();

constexpr ParameterInfo kTemperature[] = {
    {"temperature", Scope::AllLabels, 1.0 / kMostTemperature, kMostTemperature, true}};
constexpr ParameterInfo kLabelTemperature[] = {
    {"temperature", Scope::EachLabel, 1.0 / kMostTemperature, kMostTemperature, true}};
constexpr ParameterInfo kPlatt[] = {{"weight", Scope::AllLabels, -kMost, kMost},
                                    {"bias", Scope::AllLabels, -kMost, kMost}};
constexpr ParameterInfo kAffine[] = {{"weight", Scope::EachLabel, -kMost, kMost},
                                     {"bias", Scope::EachLabel, -kMost, kMost}};
constexpr ParameterInfo kIsotonic[] = {{"prob", Scope::Curve}, {"share", Scope::Curve}};
constexpr ParameterInfo kPriorShift[] = {{"old_rate", Scope::EachLabel},
                                         {"new_rate", Scope::EachLabel}};
constexpr ParameterInfo kContentFree[] = {{"content_free", Scope::EachLabel}};
constexpr ParameterInfo kLengthNormalized[] = {{"content_free", Scope::EachLabel},
                                               {"n_tokens", Scope::EachLabel, 1.0, 1e6}};
constexpr ParameterInfo kBatch[] = {{"strength", Scope::AllLabels, -kMostStrength, kMostStrength},
                                    {"mean_prob", Scope::EachLabel}};
constexpr ParameterInfo kBatchFitted[] = {
    {"strength", Scope::AllLabels, -kMostStrength, kMostStrength, true},
    {"mean_prob", Scope::EachLabel}};

constexpr auto kVotes = CalibratorNeeds::Shares;
constexpr auto kTexts = CalibratorNeeds::ContentFree;
constexpr auto kAll = LabelSets::All;
constexpr auto kMulti = LabelSets::MultiLabel;
constexpr auto kSingle = LabelSets::SingleLabel;

constexpr std::array kCalibrators = {
    Calibrator{"temperature", "Temperature", "logits / T, one T for all labels", kVotes, kAll, true,
               kTemperature, fit_temperature, apply_temperature},
    Calibrator{"label_temperature", "Temperature per label",
               "logits / T, a T for each label (multi-label)", kVotes, kMulti, true,
               kLabelTemperature, fit_label_temperature, apply_temperature},
    Calibrator{"platt", "Platt scaling",
               "weight * logit + bias, the same for all labels (multi-label)", kVotes, kMulti, true,
               kPlatt, fit_platt_of_logits, apply_affine},
    Calibrator{"affine", "Affine per label",
               "weight * logit + bias of each label (single-label: vector scaling), with a small "
               "ridge",
               kVotes, kAll, true, kAffine, fit_affine, apply_affine},
    Calibrator{"isotonic", "Isotonic", "a rising curve for each label; needs many examples", kVotes,
               kAll, false, kIsotonic, fit_isotonic, apply_isotonic},
    Calibrator{"prior_shift", "Prior shift",
               "logits moved from the mean probabilities to the labels' rates, of the votes or "
               "given",
               kVotes, kAll, false, kPriorShift, fit_prior_shift, apply_prior_shift},
    Calibrator{"batch", "Batch calibration", "logits less those of the examples' mean; no votes",
               CalibratorNeeds::Nothing, kAll, true, kBatch, fit_batch, apply_batch},
    Calibrator{"batch_fitted", "Batch calibration with a strength",
               "logits less a fitted strength * those of the examples' mean", kVotes, kAll, true,
               kBatchFitted, fit_batch_strength, apply_batch},
    Calibrator{
        "contextual", "Contextual calibration",
        "divided by the mean of content-free prompts (N/A, nothing, [MASK]); multi-label: in "
        "logits",
        kTexts, kAll, false, kContentFree, fit_content_free, apply_content_free},
    Calibrator{"domain_context", "Domain-context calibration",
               "divided by the mean of prompts with random words of the texts; multi-label: in "
               "logits",
               kTexts, kAll, false, kContentFree, fit_content_free, apply_content_free},
    Calibrator{"dc_pmi", "Domain-conditional PMI",
               "softmax of log p less log p given the bare premise (single-label)", kTexts, kSingle,
               false, kContentFree, fit_content_free, apply_content_free},
    Calibrator{
        "ncc", "Normalized contextual calibration",
        "p of whole label texts to the power 1 / tokens, divided by the same of content-free "
        "prompts (single-label)",
        kTexts, kSingle, false, kLengthNormalized, fit_length_normalized, apply_length_normalized},
};

std::vector<std::string> names_for(LabelKind kind) {
  std::vector<std::string> names;
  for (const Calibrator& calibrator : kCalibrators) {
    if (calibrator.fits(kind)) names.emplace_back(calibrator.name);
  }
  return names;
}

void check_rates(const std::vector<double>& rates, std::string_view what, const LabelSet& labels) {
  if (rates.empty()) return;
  LABELPROBE_CHECK(rates.size() == static_cast<std::size_t>(labels.size()));
  for (std::size_t i = 0; i < rates.size(); ++i) {
    if (rates[i] > 0.0 && rates[i] < 1.0) continue;
    throw ConfigError(fmt::format("{} of '{}': expected a share above 0 and below 1, found {}",
                                  what, labels.names()[i], rates[i]));
  }
}

void check_options(const Calibrator& calibrator, const CalibrationInput& input) {
  const CalibrationOptions& options = input.options;
  const bool is_shift = calibrator.fit == fit_prior_shift;
  if (!is_shift && !(options.new_rates.empty() && options.old_rates.empty())) {
    throw ConfigError(fmt::format(
        "rates of the labels are for prior_shift, found the calibrator '{}'", calibrator.name));
  }
  check_rates(options.new_rates, "the rate", input.label_set);
  check_rates(options.old_rates, "the old rate", input.label_set);
  const bool counts_tokens = calibrator.fit == fit_length_normalized;
  if (counts_tokens != !options.n_tokens.empty()) {
    throw ConfigError(counts_tokens
                          ? "ncc: expected the number of tokens of each label's text, found none"
                          : fmt::format("numbers of tokens are for ncc, found the calibrator '{}'",
                                        calibrator.name));
  }
  for (std::size_t i = 0; i < options.n_tokens.size(); ++i) {
    if (options.n_tokens[i] >= 1.0) continue;
    throw ConfigError(fmt::format("the tokens of '{}': expected 1 or more, found {}",
                                  input.label_set.names()[i], options.n_tokens[i]));
  }
  if (!(options.ridge > 0.0)) {
    throw ConfigError(fmt::format("expected a ridge above 0, found {}", options.ridge));
  }
  if ((calibrator.needs == kTexts) != (input.content_free != nullptr)) {
    throw ConfigError(
        input.content_free
            ? fmt::format("'{}' has no use for content-free prompts", calibrator.name)
            : fmt::format("'{}' needs distributions of content-free prompts, found none",
                          calibrator.name));
  }
}

// Hard predictions carry no degrees that a map of logits could stretch.
void check_degrees(const Calibrator& calibrator, const Distributions& estimates) {
  if (!calibrator.needs_degrees) return;
  std::size_t n = 0;
  for (const auto& [id, probs] : estimates.probs) {
    for (const double p : probs) {
      if (p > kLeastProb && p < 1.0 - kLeastProb) return;
      ++n;
    }
  }
  throw DataError(fmt::format(
      "{}: all {} probabilities of '{}' are 0 or 1, within {}: hard predictions have "
      "no degrees to scale; expected an estimator with probabilities (or the calibrator "
      "isotonic)",
      calibrator.name, n, estimates.estimator, kLeastProb));
}

}  // namespace

std::vector<double> inputs_of(const std::vector<double>& probs, LabelKind kind) {
  std::vector<double> inputs;
  inputs.reserve(probs.size());
  for (const double p : probs) {
    inputs.push_back(kind == LabelKind::MultiLabel ? logit_of(p) : std::log(clipped(p)));
  }
  return inputs;
}

std::vector<double> probs_of(std::vector<double> inputs, LabelKind kind) {
  if (kind == LabelKind::SingleLabel) return softmax(inputs);
  for (double& number : inputs) number = sigmoid(number);
  return inputs;
}

std::vector<Sample> samples_of(const CalibrationInput& input) {
  std::vector<Sample> samples;
  for (const auto& [id, probs] : input.estimates.probs) {
    samples.push_back({inputs_of(probs, input.label_set.kind()), &input.votes.at(id).shares});
  }
  return samples;
}

std::span<const Calibrator> calibrators() {
  return kCalibrators;
}

std::string list_calibrators(LabelKind kind) {
  return fmt::format("{}", fmt::join(names_for(kind), ", "));
}

const Calibrator& find_calibrator(std::string_view name, LabelKind kind) {
  const auto found = std::find_if(kCalibrators.begin(), kCalibrators.end(),
                                  [&](const Calibrator& row) { return row.name == name; });
  if (found == kCalibrators.end()) {
    throw ConfigError(unknown_choice("calibrator", name, names_for(kind)));
  }
  if (!found->fits(kind)) {
    const bool is_multi = kind == LabelKind::MultiLabel;
    throw ConfigError(
        fmt::format("calibrator '{}' is defined for {}-label sets only; for {}-label sets there "
                    "are: {}",
                    name, is_multi ? "single" : "multi", is_multi ? "multi" : "single",
                    list_calibrators(kind)));
  }
  return *found;
}

bool reads_votes(const Calibrator& calibrator, const CalibrationOptions& options) {
  return calibrator.needs == kVotes && options.new_rates.empty();
}

CalibrationParameters fit_calibrator(const Calibrator& calibrator, const CalibrationInput& input) {
  LABELPROBE_CHECK(calibrator.fits(input.label_set.kind()));
  check_options(calibrator, input);
  Distributions usable{input.estimates.estimator, {}};
  for (const auto& [id, probs] : input.estimates.probs) {
    if (!reads_votes(calibrator, input.options) || input.votes.contains(id)) {
      usable.probs.emplace(id, probs);
    }
  }
  if (usable.probs.empty()) {
    throw DataError(fmt::format("{}: expected examples with votes and an estimate, found none",
                                calibrator.name));
  }
  check_degrees(calibrator, usable);
  return calibrator.fit({usable, input.votes, input.content_free, input.label_set, input.options});
}

Distributions apply_calibrator(const Calibrator& calibrator,
                               const CalibrationParameters& parameters,
                               const Distributions& estimates,
                               LabelKind kind) {
  Distributions found{fmt::format("{}+{}", estimates.estimator, calibrator.name), {}};
  for (const auto& [id, probs] : estimates.probs) {
    found.probs.emplace(id, calibrator.apply(parameters, kind, probs));
  }
  return found;
}

}  // namespace labelprobe::analysis
