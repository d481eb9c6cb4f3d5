// Unregularised logistic regressions by SAGA (Defazio et al., 2014), step by step as scikit-learn's
// LogisticRegression(solver="saga", penalty=None, random_state=seed) takes them in double
// precision: labels that can be separated never converge, so that the probabilities are what the
// steps and the stopping rule make of them. No library of ours has SAGA.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "training/probes/regression.h"

namespace labelprobe::training {

struct SagaOptions {
  std::int64_t max_epochs = 1000;
  // A regression is done when no weight has changed by more than this share of the largest weight
  // in an epoch.
  double tolerance = 1e-4;
  std::uint32_t seed = 0;
  // So many rows have all products with each other kept, which is faster: 2 GiB at most.
  std::int64_t max_known_rows = 16384;
};

// Regressions of the same rows on several targets, side by side on all threads; each comes out as
// if it were alone, but for rounding. An epoch takes n_rows rows, drawn with replacement
// by scikit-learn's generator (xorshift, started by the first draw of numpy's for the seed). The
// step is 1 / 2L, L = (largest squared norm of a row + 1) / 4.
// Throws DataError if the numbers overflow.
std::vector<Regression> fit_saga(const Rows& rows,
                                 std::span<const Targets> targets,
                                 const SagaOptions& options,
                                 const SolverProgress& progress);

}  // namespace labelprobe::training
