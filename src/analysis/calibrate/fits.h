// The calibrators' own door: what each fits and applies. The rows of calibrators.cpp name them.
#pragma once

#include <vector>

#include "labelprobe/analysis/calibration.h"

namespace labelprobe::analysis {

// A parameter of a kind of map; see Calibrator::fit and Calibrator::apply.
using Fit = CalibrationParameters(const CalibrationInput& input);
using Apply = std::vector<double>(const CalibrationParameters& parameters,
                                  LabelKind kind,
                                  const std::vector<double>& probs);

// Temperatures are searched from 1 / kMostTemperature to kMostTemperature.
inline constexpr double kMostTemperature = 100.0;
// Strengths of the batch's mean from -kMostStrength to kMostStrength.
inline constexpr double kMostStrength = 5.0;

Fit fit_temperature;
Fit fit_label_temperature;
Apply apply_temperature;

Fit fit_platt_of_logits;
Fit fit_affine;
Apply apply_affine;

Fit fit_isotonic;
Apply apply_isotonic;

Fit fit_prior_shift;
Apply apply_prior_shift;

Fit fit_content_free;
Apply apply_content_free;
Fit fit_length_normalized;
Apply apply_length_normalized;

Fit fit_batch;
Fit fit_batch_strength;
Apply apply_batch;

}  // namespace labelprobe::analysis
