// Examples that have both a distribution and votes, as fits see them.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "labelprobe/analysis/calibration.h"

namespace labelprobe::analysis {

struct Sample {
  std::vector<double> inputs;                   // [n_labels]: see inputs_of()
  const std::vector<double>* shares = nullptr;  // [n_labels], of the annotators
};

inline double clipped(double prob) {
  return std::clamp(prob, kLeastProb, 1.0 - kLeastProb);
}

inline double logit_of(double prob) {
  return std::log(clipped(prob)) - std::log1p(-clipped(prob));
}

// Multi-label: the logits; single-label: the logarithms. Of clipped probabilities.
std::vector<double> inputs_of(const std::vector<double>& probs, LabelKind kind);

// The probabilities of numbers like inputs_of()'s: each one's sigmoid, or the softmax of all.
std::vector<double> probs_of(std::vector<double> inputs, LabelKind kind);

// In the order of the ids.
std::vector<Sample> samples_of(const CalibrationInput& input);

}  // namespace labelprobe::analysis
