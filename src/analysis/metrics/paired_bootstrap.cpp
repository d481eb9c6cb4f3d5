#include <algorithm>
#include <cstddef>
#include <utility>

#include "labelprobe/analysis/alignment.h"
#include "labelprobe/core/error.h"
#include "labelprobe/python/quantile.h"
#include "labelprobe/python/random.h"

namespace labelprobe::analysis {

namespace {

// One metric's numbers of the examples that two alignments share.
struct Differences {
  const Metric* metric = nullptr;
  std::vector<double> by_example;
  std::vector<double> resampled;  // means
};

// Positions in both of the ids that both have.
std::vector<std::pair<std::size_t, std::size_t>> shared_places(const std::vector<std::string>& a,
                                                               const std::vector<std::string>& b) {
  std::vector<std::pair<std::size_t, std::size_t>> places;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto found = std::lower_bound(b.begin(), b.end(), a[i]);
    if (found != b.end() && *found == a[i]) {
      places.emplace_back(i, static_cast<std::size_t>(found - b.begin()));
    }
  }
  return places;
}

double sum_of(const std::vector<double>& numbers) {
  double sum = 0.0;
  for (const double number : numbers) sum += number;
  return sum;
}

}  // namespace

const Difference* AlignmentDifference::find(std::string_view metric) const {
  const auto found =
      std::find_if(metrics.begin(), metrics.end(),
                   [&](const Difference& difference) { return difference.metric->name == metric; });
  return found == metrics.end() ? nullptr : &*found;
}

std::optional<AlignmentDifference> paired_bootstrap(const Alignment& a,
                                                    const Alignment& b,
                                                    const BootstrapOptions& options) {
  LABELPROBE_CHECK(options.n_resamples > 0 && options.level > 0.0 && options.level < 1.0);
  const auto places = shared_places(a.example_ids, b.example_ids);
  if (places.empty()) return std::nullopt;
  std::vector<Differences> differences;
  for (const Measured& of_a : a.metrics) {
    const Measured* of_b = b.find(of_a.metric->name);
    if (!of_b || of_a.by_example.empty() || of_b->by_example.empty()) continue;
    Differences& of_metric = differences.emplace_back(Differences{of_a.metric, {}, {}});
    for (const auto& [in_a, in_b] : places) {
      of_metric.by_example.push_back(of_a.by_example[in_a] - of_b->by_example[in_b]);
    }
  }
  const auto n = static_cast<std::uint32_t>(places.size());
  python::Random random(options.seed);
  std::vector<std::uint32_t> drawn(n);
  for (int resample = 0; resample < options.n_resamples; ++resample) {
    for (std::uint32_t& example : drawn) example = random.randbelow(n);
    for (Differences& of_metric : differences) {
      double sum = 0.0;
      for (const std::uint32_t example : drawn) sum += of_metric.by_example[example];
      of_metric.resampled.push_back(sum / n);
    }
  }
  AlignmentDifference found{n, {}};
  const double tail = (1.0 - options.level) / 2.0;
  for (Differences& of_metric : differences) {
    std::sort(of_metric.resampled.begin(), of_metric.resampled.end());
    found.metrics.push_back({of_metric.metric, sum_of(of_metric.by_example) / n,
                             python::quantile(of_metric.resampled, tail),
                             python::quantile(of_metric.resampled, 1.0 - tail)});
  }
  return found;
}

}  // namespace labelprobe::analysis
