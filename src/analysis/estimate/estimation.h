// The estimators' own door: what each is given and what it fills. One function per estimator,
// listed in estimators.cpp.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/analysis/estimators.h"
#include "labelprobe/core/label_set.h"

#include "analysis/estimate/log_items.h"

namespace labelprobe::analysis {

struct EstimationInput {
  std::span<const LogItem> items;  // failed ones among them
  const LabelSet& label_set;
  const EstimatorOptions& options;
  std::string_view readout = {};  // Estimator::readout
};

// See Estimator::run.
void estimate_baseline(const EstimationInput& input, Estimates& estimates);
void estimate_output(const EstimationInput& input, Estimates& estimates);
void estimate_output_normalized(const EstimationInput& input, Estimates& estimates);
void estimate_max(const EstimationInput& input, Estimates& estimates);
void estimate_unary(const EstimationInput& input, Estimates& estimates);
void estimate_unary_normalized(const EstimationInput& input, Estimates& estimates);
void estimate_binary(const EstimationInput& input, Estimates& estimates);
void estimate_binary_outcome(const EstimationInput& input, Estimates& estimates);
void estimate_verbalized(const EstimationInput& input, Estimates& estimates);
void estimate_verbalized_expected(const EstimationInput& input, Estimates& estimates);

// sigmoid(weight * x + bias) of each.
std::vector<double> scaled_probs(const std::vector<double>& inputs, const PlattScaling& platt);

// "3 of 40 <what>", the form of the estimators' warnings.
std::string count_of(std::size_t n, std::size_t n_all, std::string_view what);

}  // namespace labelprobe::analysis
