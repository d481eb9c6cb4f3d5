// Calibration of finished distributions, without the model: one row per calibrator. Fitting sees
// distributions and, where the row says so, votes; applying maps one distribution to another.
// Commands, tables and listings loop over the rows; a new calibrator is a function or two in
// src/analysis/calibrate/ and a row in calibrators.cpp. What is fitted is kept by
// calibration_file.h.
// Sources: Platt 1999; Zadrozny and Elkan 2002 (isotonic); Saerens et al. 2002 (prior shift); Guo
// et al. 2017 (temperature, vector scaling); Zhao et al. 2021 (contextual); Holtzman et al. 2021
// (DC-PMI); Fei et al. 2023 (domain-context); Zhou et al. 2023 (batch); Sanz-Guerrero and von der
// Wense 2025 (NCC). For the probabilities of multi-label sets, where the source speaks of one
// softmax, the same correction is made in logits, label by label; that is ours.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/analysis/distributions.h"
#include "labelprobe/analysis/estimators.h"
#include "labelprobe/analysis/votes.h"
#include "labelprobe/core/label_set.h"

namespace labelprobe::analysis {

// Probabilities are clipped to [kLeastProb, 1 - kLeastProb] before a logit or a logarithm is taken
// for a fit; what is divided by is at least kLeastProb.
inline constexpr double kLeastProb = 1e-6;

// What fitting found, by the names of Calibrator::parameters.
struct CalibrationParameters {
  std::map<std::string, std::vector<double>, std::less<>> numbers;              // [1] or [n_labels]
  std::map<std::string, std::vector<std::vector<double>>, std::less<>> curves;  // by label

  friend bool operator==(const CalibrationParameters&, const CalibrationParameters&) = default;
};

struct ParameterInfo {
  enum class Scope { AllLabels, EachLabel, Curve };  // Curve: a rising list of numbers per label

  std::string_view name;  // in files: "temperature"
  Scope scope = Scope::AllLabels;
  double low = 0.0;  // every value lies from low to high
  double high = 1.0;
  bool is_searched = false;  // a fit looks between the bounds; one that ends there is warned of
};

struct CalibrationOptions {
  // The shares of the labels that `prior_shift` goes to and comes from, [n_labels]; empty: the mean
  // votes, and the mean probabilities.
  std::vector<double> new_rates;
  std::vector<double> old_rates;
  std::vector<double> n_tokens;  // of each label's text, [n_labels]; for `ncc`
  double ridge = 0.01;           // of `affine`; above 0
};

// What a fit may look at. Examples count that have what the calibrator needs.
struct CalibrationInput {
  const Distributions& estimates;
  const Votes& votes;
  // Distributions of the same prompts with content-free texts in the place of the example's, or of
  // the bare premise (`dc_pmi`), made by the same estimator; ids are the texts'. They are averaged.
  // Null: none given.
  const Distributions* content_free = nullptr;
  const LabelSet& label_set;
  const CalibrationOptions& options;
};

enum class CalibratorNeeds { Shares, ContentFree, Nothing };  // Shares: the votes'

struct Calibrator {
  std::string_view name;   // in files and flags: "platt"
  std::string_view title;  // for people: "Platt scaling"
  std::string_view summary;
  CalibratorNeeds needs = CalibratorNeeds::Shares;
  LabelSets label_sets = LabelSets::All;
  bool needs_degrees = false;  // says nothing of probabilities that are all 0 or 1
  std::span<const ParameterInfo> parameters;
  CalibrationParameters (*fit)(const CalibrationInput& input) = nullptr;
  // [n_labels] to [n_labels]; single-label: the result sums to 1.
  std::vector<double> (*apply)(const CalibrationParameters& parameters,
                               LabelKind kind,
                               const std::vector<double>& probs) = nullptr;

  bool fits(LabelKind kind) const {
    return label_sets == LabelSets::All ||
           (label_sets == LabelSets::MultiLabel) == (kind == LabelKind::MultiLabel);
  }
};

// In the order of listings.
std::span<const Calibrator> calibrators();

// Throws ConfigError for an unknown name or one that does not fit the label kind, naming those that
// do.
const Calibrator& find_calibrator(std::string_view name, LabelKind kind);

// "a, b"; for messages.
std::string list_calibrators(LabelKind kind);

// Whether the fit would read votes: then it must not be measured on the examples it saw.
bool reads_votes(const Calibrator& calibrator, const CalibrationOptions& options);

// Throws ConfigError where an option is missing, is not the calibrator's or is out of range;
// DataError where there is nothing to fit on, probabilities are all 0 or 1 but degrees are needed,
// or no finite parameters are best.
CalibrationParameters fit_calibrator(const Calibrator& calibrator, const CalibrationInput& input);

Distributions apply_calibrator(const Calibrator& calibrator,
                               const CalibrationParameters& parameters,
                               const Distributions& estimates,
                               LabelKind kind);

// --- What is kept of a fit ---

struct CalibrationFold {
  std::set<std::string> held_out;    // example ids that the parameters were fitted without
  CalibrationParameters parameters;  // fitted on all others
};

// Mean NLL of the votes (the metric `nll`) on the examples of the fit.
struct CalibrationLoss {
  double before = 0.0;
  double after = 0.0;              // of the parameters that saw all examples
  std::optional<double> held_out;  // each example by its fold's parameters
  // The constant predictor: each label's mean share, of all examples or of the other folds.
  double base_rate = 0.0;
  std::optional<double> base_rate_held_out;
};

// Where the distributions came from, for people and for later checks.
struct CalibrationSource {
  std::string program;       // "labelprobe 0.2.0"
  std::string task;          // the data set
  std::string estimates;     // a run or a scores file
  std::string model;         // of the run; empty if unknown
  std::string estimator;     // its name; "scores" of a file
  std::string answer;        // position that answers were read at; empty if there is none
  std::string content_free;  // a run or a scores file; empty if none was used
  std::vector<std::string> splits;

  friend bool operator==(const CalibrationSource&, const CalibrationSource&) = default;
};

struct FittedCalibration {
  const Calibrator* calibrator = nullptr;
  LabelSet label_set;
  CalibrationSource source;
  bool has_read_votes = false;
  std::set<std::string> example_ids;   // that it was fitted on
  CalibrationParameters parameters;    // fitted on all of them
  std::int64_t seed = 0;               // of the folds
  std::vector<CalibrationFold> folds;  // none, or two or more that share out example_ids
  std::optional<CalibrationLoss> loss;
  std::vector<std::string> warnings;  // sentences; not kept in files
};

struct CrossFitting {
  int n_folds = 0;  // 0 = none
  std::int64_t seed = 0;
};

// Fits on all examples and, if asked, once without each fold. Examples are put in the order of a
// fingerprint of seed and id and dealt out in turn, so that the same examples make the same folds.
// Throws what fit_calibrator() throws, ConfigError for one fold or folds of a calibrator that reads
// no votes, and DataError for more folds than examples.
FittedCalibration fit_calibration(const Calibrator& calibrator,
                                  const CalibrationInput& input,
                                  const CrossFitting& cross_fitting);

// Each example by the parameters of the fold that held it out, others by those fitted on all.
// Throws DataError saying what to do if votes on the very examples were read and there are no
// folds; ConfigError if the labels are others.
//   place  names the estimates in messages
Distributions apply_calibration(const FittedCalibration& calibration,
                                const Distributions& estimates,
                                const LabelSet& label_set,
                                const std::string& place);

}  // namespace labelprobe::analysis
