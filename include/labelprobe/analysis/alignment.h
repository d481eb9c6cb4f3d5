// Metrics of estimates against votes, and whether two methods differ in them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/analysis/distributions.h"
#include "labelprobe/analysis/metrics.h"
#include "labelprobe/analysis/votes.h"
#include "labelprobe/core/label_set.h"

namespace labelprobe::analysis {

struct Measured {
  const Metric* metric = nullptr;
  std::optional<double> value;  // unset where it is not defined
  // Sample standard deviation (n - 1) / sqrt(n); unset for one example, which has none, and for
  // what is no mean over examples.
  std::optional<double> standard_error;
  std::vector<double> by_example;  // in the order of Alignment::example_ids; empty if no mean
};

struct Alignment {
  std::vector<std::string> example_ids;  // sorted: those with votes and an estimate
  std::vector<Measured> metrics;         // in the order of metrics(), those that apply
  std::size_t n_without_votes = 0;       // estimated, but nobody voted

  // Null if the metric was not measured.
  const Measured* find(std::string_view metric) const;
};

// All labels together: the metrics that have `of_example`.
// Throws DataError naming the estimator if no example has both votes and an estimate.
Alignment align(const Distributions& estimates, const Votes& votes, const LabelSet& label_set);

// One alignment per label, in label-set order, on the same examples: the metrics that say something
// about single labels. Errors as align().
std::vector<Alignment> align_labels(const Distributions& estimates,
                                    const Votes& votes,
                                    const LabelSet& label_set);

// The same probabilities for every example: each label's share in `rates`.
Distributions constant_estimates(const std::vector<double>& rates, const Votes& votes);

struct BootstrapOptions {
  int n_resamples = 1000;
  std::int64_t seed = 0;
  double level = 0.95;  // share of the resampled means that an interval holds
};

struct Difference {
  const Metric* metric = nullptr;
  double value = 0.0;
  double low = 0.0;
  double high = 0.0;
};

struct AlignmentDifference {
  std::size_t n_examples = 0;
  std::vector<Difference> metrics;

  // Null if it has no difference of the metric.
  const Difference* find(std::string_view metric) const;
};

// a minus b over the examples both have, in the order of their ids, with the bootstrap interval
// that holds the middle `level` of the resampled means. Each resample takes as many examples as
// there are, with one randbelow() of Random(seed) each, for all metrics together; percentiles
// interpolate linearly between order statistics (numpy's default, `linear`).
// Unset if they share no example.
std::optional<AlignmentDifference> paired_bootstrap(const Alignment& a,
                                                    const Alignment& b,
                                                    const BootstrapOptions& options);

}  // namespace labelprobe::analysis
