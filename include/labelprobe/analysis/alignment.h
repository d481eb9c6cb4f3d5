// How far estimates are from what people chose. Definitions: paper, section 4; NLL in nats, summed
// over labels; L1 summed over labels; example-F1 against the aggregate labels.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/analysis/estimators.h"
#include "labelprobe/analysis/votes.h"
#include "labelprobe/core/label_set.h"

namespace labelprobe::analysis {

struct ExampleAlignment {
  double nll = 0.0;
  double l1 = 0.0;
  double f1 = 0.0;
};

struct Mean {
  double value = 0.0;
  double standard_error = 0.0;  // sample standard deviation (n - 1) / sqrt(n); 0 for one example
};

struct Alignment {
  std::string name;                                  // of the method, for tables
  std::map<std::string, ExampleAlignment> examples;  // by example id: those with votes and estimate
  Mean nll;
  Mean l1;
  Mean f1;
  std::size_t n_without_votes = 0;  // estimated, but nobody voted
};

// Probabilities are clamped to [1e-8, 1 - 1e-8] for the NLL. Multi-label: predicted = p > 0.5, both
// sets empty = 1; single-label: predicted = the largest (first of equals), F1 = accuracy. What
// differs by less than 1e-6 is equal.
// Throws DataError if no example has both votes and an estimate.
Alignment align(const std::string& name,
                const std::map<std::string, std::vector<double>>& probs,
                const Votes& votes,
                const LabelSet& label_set);

// The same probability for every example: each label's share in `rates`.
std::map<std::string, std::vector<double>> constant_estimates(const std::vector<double>& rates,
                                                              const Votes& votes);

// a minus b over the examples both have, in the order of their ids, with the bootstrap interval
// that holds the middle `level` of the resampled means. Each resample takes as many examples as
// there are, with one randbelow() of Random(seed) each, for all three numbers together; percentiles
// interpolate linearly between order statistics (numpy's default, `linear`).
struct Difference {
  double value = 0.0;
  double low = 0.0;
  double high = 0.0;
};
struct AlignmentDifference {
  std::size_t n_examples = 0;
  Difference nll;
  Difference l1;
  Difference f1;
};
// Throws DataError if they share no example.
AlignmentDifference paired_bootstrap(const Alignment& a,
                                     const Alignment& b,
                                     int n_resamples,
                                     std::int64_t seed,
                                     double level = 0.95);

}  // namespace labelprobe::analysis
