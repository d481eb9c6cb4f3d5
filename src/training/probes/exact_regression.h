// Logistic regressions with an L2 penalty, to their one minimum.
#pragma once

#include "training/probes/regression.h"

namespace labelprobe::training {

// The minimum of sum of losses + l2 / 2 * squared norm of the weights (not of the intercepts), as
// scikit-learn's LogisticRegression(C=1/l2), by damped Newton steps. Each step is solved for by
// conjugate gradients.
//   l2  above 0: what can be separated has no minimum without
Regression fit_exactly(const Rows& rows, const Targets& targets, double l2);

}  // namespace labelprobe::training
