// Fits that are measured on nothing they saw: folds, and which parameters an example gets.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/analysis/alignment.h"
#include "labelprobe/analysis/calibration.h"
#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"

namespace labelprobe::analysis {

namespace {

std::vector<CalibrationFold> deal_folds(const std::set<std::string>& ids,
                                        const CrossFitting& cross_fitting) {
  std::vector<std::pair<std::string, std::string>> order;
  for (const std::string& id : ids) {
    Fingerprint fingerprint;
    fingerprint.add(std::to_string(cross_fitting.seed));
    fingerprint.add(id);
    order.emplace_back(fingerprint.hex(), id);
  }
  std::sort(order.begin(), order.end());
  std::vector<CalibrationFold> folds(static_cast<std::size_t>(cross_fitting.n_folds));
  for (std::size_t i = 0; i < order.size(); ++i) {
    folds[i % folds.size()].held_out.insert(order[i].second);
  }
  return folds;
}

void check_folds(const Calibrator& calibrator,
                 const CalibrationOptions& options,
                 std::size_t n_examples,
                 int n_folds) {
  if (n_folds == 0) return;
  if (!reads_votes(calibrator, options)) {
    throw ConfigError(
        fmt::format("folds: '{}' reads no votes here, so that nothing can be measured on what it "
                    "was fitted on; leave the folds out",
                    calibrator.name));
  }
  if (n_folds < 2 || static_cast<std::size_t>(n_folds) > n_examples) {
    throw ConfigError(fmt::format(
        "folds: expected 2 to {}, the number of examples with votes and an estimate, found {}",
        n_examples, n_folds));
  }
}

Distributions without(const Distributions& estimates, const std::set<std::string>& held_out) {
  Distributions rest{estimates.estimator, {}};
  for (const auto& [id, probs] : estimates.probs) {
    if (!held_out.contains(id)) rest.probs.emplace(id, probs);
  }
  return rest;
}

double mean_nll(const Distributions& estimates, const Votes& votes, const LabelSet& label_set) {
  return *align(estimates, votes, label_set).find("nll")->value;
}

// Each label's mean share, for every example; with folds, of those it was not held out with.
Distributions constant_of(const FittedCalibration& fitted, const Votes& votes) {
  Distributions constant{"constant", {}};
  const auto add = [&](const std::set<std::string>& for_ids, const std::set<std::string>& without) {
    Votes seen;
    for (const std::string& id : fitted.example_ids) {
      if (!without.contains(id)) seen.emplace(id, votes.at(id));
    }
    const std::vector<double> rates = mean_shares(seen);
    for (const std::string& id : for_ids) constant.probs.emplace(id, rates);
  };
  if (fitted.folds.empty()) add(fitted.example_ids, {});
  for (const CalibrationFold& fold : fitted.folds) add(fold.held_out, fold.held_out);
  return constant;
}

// Of the examples fitted on that have votes; unset if none has.
std::optional<CalibrationLoss> measure(const FittedCalibration& fitted,
                                       const Distributions& estimates,
                                       const Votes& votes) {
  FittedCalibration voted = fitted;
  std::erase_if(voted.example_ids, [&](const std::string& id) { return !votes.contains(id); });
  if (voted.example_ids.empty()) return std::nullopt;
  const LabelSet& labels = fitted.label_set;
  const auto calibrated =
      apply_calibrator(*fitted.calibrator, fitted.parameters, estimates, labels.kind());
  CalibrationLoss loss;
  loss.before = mean_nll(estimates, votes, labels);
  loss.after = mean_nll(calibrated, votes, labels);
  if (!fitted.folds.empty()) {
    loss.held_out = mean_nll(apply_calibration(fitted, estimates, labels, ""), votes, labels);
  }
  loss.base_rate = mean_nll(constant_of(voted, votes), votes, labels);
  return loss;
}

void warn_of_bounds(const Calibrator& calibrator,
                    const CalibrationParameters& parameters,
                    const LabelSet& label_set,
                    std::vector<std::string>& warnings) {
  for (const ParameterInfo& info : calibrator.parameters) {
    if (!info.is_searched) continue;
    const std::vector<double>& numbers = parameters.numbers.find(info.name)->second;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] > info.low && numbers[i] < info.high) continue;
      warnings.push_back(fmt::format(
          "{}: {}{} is {}, the end of what is searched: votes and probabilities hardly agree, or "
          "agree completely",
          calibrator.name, info.name,
          info.scope == ParameterInfo::Scope::EachLabel
              ? fmt::format(" of '{}'", label_set.names()[i])
              : "",
          numbers[i]));
    }
  }
}

}  // namespace

FittedCalibration fit_calibration(const Calibrator& calibrator,
                                  const CalibrationInput& input,
                                  const CrossFitting& cross_fitting) {
  FittedCalibration fitted;
  fitted.calibrator = &calibrator;
  fitted.label_set = input.label_set;
  fitted.has_read_votes = reads_votes(calibrator, input.options);
  Distributions estimates{input.estimates.estimator, {}};
  for (const auto& [id, probs] : input.estimates.probs) {
    if (fitted.has_read_votes && !input.votes.contains(id)) continue;
    estimates.probs.emplace(id, probs);
    fitted.example_ids.insert(id);
  }
  check_folds(calibrator, input.options, fitted.example_ids.size(), cross_fitting.n_folds);
  const auto fit = [&](const Distributions& seen) {
    return fit_calibrator(calibrator,
                          {seen, input.votes, input.content_free, input.label_set, input.options});
  };
  fitted.parameters = fit(estimates);
  warn_of_bounds(calibrator, fitted.parameters, fitted.label_set, fitted.warnings);
  fitted.seed = cross_fitting.seed;
  if (cross_fitting.n_folds > 0) fitted.folds = deal_folds(fitted.example_ids, cross_fitting);
  for (CalibrationFold& fold : fitted.folds) {
    fold.parameters = fit(without(estimates, fold.held_out));
  }
  fitted.loss = measure(fitted, estimates, input.votes);
  return fitted;
}

Distributions apply_calibration(const FittedCalibration& calibration,
                                const Distributions& estimates,
                                const LabelSet& label_set,
                                const std::string& place) {
  const Calibrator& calibrator = *calibration.calibrator;
  if (calibration.label_set != label_set) {
    throw ConfigError(fmt::format("{}: the calibration was fitted on other labels", place));
  }
  if (calibration.has_read_votes && calibration.folds.empty()) {
    std::vector<std::string> seen;
    for (const auto& [id, probs] : estimates.probs) {
      if (calibration.example_ids.contains(id)) seen.push_back(id);
    }
    if (!seen.empty()) {
      throw DataError(fmt::format(
          "{}: {} of {} examples are those that {} was fitted on, the first '{}': what is measured "
          "on them says nothing; fit on another split, or fit with --folds 5, where each example "
          "has parameters fitted without it",
          place, seen.size(), estimates.probs.size(), calibrator.name, seen.front()));
    }
  }
  const LabelKind kind = label_set.kind();
  Distributions found = apply_calibrator(calibrator, calibration.parameters, estimates, kind);
  for (const CalibrationFold& fold : calibration.folds) {
    for (const std::string& id : fold.held_out) {
      const auto estimate = estimates.probs.find(id);
      if (estimate == estimates.probs.end()) continue;
      found.probs[id] = calibrator.apply(fold.parameters, kind, estimate->second);
    }
  }
  return found;
}

}  // namespace labelprobe::analysis
