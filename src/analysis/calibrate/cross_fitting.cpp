// Fits that are measured on nothing they saw: folds, and which parameters an example gets.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/analysis/alignment.h"
#include "labelprobe/analysis/calibration.h"
#include "labelprobe/analysis/listing_metrics.h"
#include "labelprobe/core/error.h"

namespace labelprobe::analysis {

namespace {

std::vector<CalibrationFold> deal_folds(const std::set<std::string>& ids,
                                        const CrossFitting& cross_fitting) {
  const std::vector<std::string> all(ids.begin(), ids.end());
  const std::vector<int> fold_of = folds_of(all, cross_fitting.n_folds, cross_fitting.seed);
  std::vector<CalibrationFold> folds(static_cast<std::size_t>(cross_fitting.n_folds));
  for (std::size_t i = 0; i < all.size(); ++i) {
    folds[static_cast<std::size_t>(fold_of[i])].held_out.insert(all[i]);
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
  if (n_folds < 2) {
    throw ConfigError(fmt::format("folds: expected 0, or 2 or more, found {}", n_folds));
  }
  if (static_cast<std::size_t>(n_folds) > n_examples) {
    throw DataError(
        fmt::format("{} folds: expected as many examples with votes and an estimate, found {}",
                    n_folds, n_examples));
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

// Each label's mean share over the examples but for `left_out`, as the estimate of `for_ids`.
void add_constant(const std::set<std::string>& for_ids,
                  const std::set<std::string>& left_out,
                  const Votes& votes,
                  Distributions& constant) {
  Votes seen = votes;
  for (const std::string& id : left_out) seen.erase(id);
  const std::vector<double> rates = mean_shares(seen);
  for (const std::string& id : for_ids) constant.probs.emplace(id, rates);
}

// The loss over the examples fitted on that have votes; unset if none has.
std::optional<CalibrationLoss> measure(const FittedCalibration& fitted,
                                       const Distributions& estimates,
                                       const Votes& all_votes) {
  Votes votes;
  for (const std::string& id : fitted.example_ids) {
    const auto found = all_votes.find(id);
    if (found != all_votes.end()) votes.insert(*found);
  }
  if (votes.empty()) return std::nullopt;
  const LabelSet& labels = fitted.label_set;
  const auto nll = [&](const Distributions& probs) { return mean_nll(probs, votes, labels); };
  CalibrationLoss loss;
  loss.before = nll(estimates);
  loss.after =
      nll(apply_calibrator(*fitted.calibrator, fitted.parameters, estimates, labels.kind()));
  Distributions constant{"constant", {}};
  add_constant(fitted.example_ids, {}, votes, constant);
  loss.base_rate = nll(constant);
  if (fitted.folds.empty()) return loss;
  loss.held_out = nll(apply_calibration(fitted, estimates, labels, ""));
  constant.probs.clear();
  for (const CalibrationFold& fold : fitted.folds) {
    add_constant(fold.held_out, fold.held_out, votes, constant);
  }
  loss.base_rate_held_out = nll(constant);
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

// Roots of several lengths of what was divided by the sum of all labels are not those of the texts'
// own probabilities.
void warn_of_sums(const Calibrator& calibrator,
                  const Distributions& estimates,
                  std::vector<std::string>& warnings) {
  if (calibrator.name != "ncc") return;
  const auto sums_to_one = [](const auto& entry) {
    const std::vector<double>& probs = entry.second;
    return std::abs(std::accumulate(probs.begin(), probs.end(), 0.0) - 1.0) < 1e-6;
  };
  if (!std::all_of(estimates.probs.begin(), estimates.probs.end(), sums_to_one)) return;
  warnings.emplace_back(
      "ncc: all examples' probabilities sum to 1, as after a division by their sum; expected the "
      "probabilities of the whole label texts, which do not");
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
  warn_of_sums(calibrator, estimates, fitted.warnings);
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
