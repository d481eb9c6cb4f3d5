// Platt scaling of logit differences: weight and bias fitted on another split than the one they are
// used on.
#pragma once

#include "labelprobe/analysis/estimators.h"
#include "labelprobe/analysis/votes.h"

namespace labelprobe::analysis {

// The weight and bias that minimise the binary cross-entropy of sigmoid(weight * x + bias) against
// the annotators' shares, over all labels of all examples that have both. Solved exactly (Newton)
// rather than by the published 1000 Adam steps. Throws DataError if there is nothing to fit on, or
// no single optimum: shares that a threshold on x separates put it at infinity, equal x leave it
// open.
PlattScaling fit_platt(const LabelNumbers& inputs, const Votes& votes);

}  // namespace labelprobe::analysis
