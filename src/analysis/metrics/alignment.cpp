#include "labelprobe/analysis/alignment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include "labelprobe/core/error.h"
#include "labelprobe/python/quantile.h"
#include "labelprobe/python/random.h"

namespace labelprobe::analysis {

namespace {

constexpr double kSmallestProb = 1e-8;
constexpr double kPredictedAbove = 0.5;
// Labels that win as many pairings as another have equal scores, and so probabilities that are even
// but for rounding, which must not decide what is predicted.
constexpr double kEven = 1e-6;

// [nll, l1, f1] of one example, or differences of them.
using Triple = std::array<double, 3>;

Triple triple_of(const ExampleAlignment& example) {
  return {example.nll, example.l1, example.f1};
}

Labels predicted_labels(const std::vector<double>& probs, LabelKind kind) {
  if (kind == LabelKind::SingleLabel) {
    const double most = *std::max_element(probs.begin(), probs.end());
    const auto best =
        std::find_if(probs.begin(), probs.end(), [&](double p) { return p >= most - kEven; });
    return {static_cast<LabelIndex>(best - probs.begin())};
  }
  Labels predicted;
  for (std::size_t label = 0; label < probs.size(); ++label) {
    if (probs[label] > kPredictedAbove + kEven) predicted.push_back(static_cast<LabelIndex>(label));
  }
  return predicted;
}

double example_f1(const Labels& predicted, const Labels& gold) {
  if (predicted.empty() && gold.empty()) return 1.0;
  const auto n_common = std::count_if(predicted.begin(), predicted.end(), [&](LabelIndex label) {
    return std::find(gold.begin(), gold.end(), label) != gold.end();
  });
  return 2.0 * static_cast<double>(n_common) / static_cast<double>(predicted.size() + gold.size());
}

ExampleAlignment align_example(const std::vector<double>& probs,
                               const ExampleVotes& votes,
                               LabelKind kind) {
  ExampleAlignment example;
  for (std::size_t label = 0; label < probs.size(); ++label) {
    LABELPROBE_CHECK(probs[label] >= 0.0 && probs[label] <= 1.0);
    const double share = votes.shares[label];
    const double p = std::clamp(probs[label], kSmallestProb, 1.0 - kSmallestProb);
    example.nll -= share * std::log(p);
    if (kind == LabelKind::MultiLabel) example.nll -= (1.0 - share) * std::log1p(-p);
    example.l1 += std::abs(probs[label] - share);
  }
  example.f1 = example_f1(predicted_labels(probs, kind), votes.gold);
  return example;
}

Mean mean_of(const std::vector<Triple>& examples, std::size_t which) {
  const auto n = static_cast<double>(examples.size());
  double sum = 0.0;
  for (const Triple& example : examples) sum += example[which];
  const double mean = sum / n;
  double squares = 0.0;
  for (const Triple& example : examples) squares += std::pow(example[which] - mean, 2);
  return {mean, examples.size() < 2 ? 0.0 : std::sqrt(squares / (n - 1.0) / n)};
}

Difference interval(double mean, std::vector<double> resampled, double level) {
  std::sort(resampled.begin(), resampled.end());
  const double tail = (1.0 - level) / 2.0;
  return {mean, python::quantile(resampled, tail), python::quantile(resampled, 1.0 - tail)};
}

}  // namespace

Alignment align(const std::string& name,
                const std::map<std::string, std::vector<double>>& probs,
                const Votes& votes,
                const LabelSet& label_set) {
  Alignment alignment;
  alignment.name = name;
  std::vector<Triple> examples;
  for (const auto& [example_id, of_example] : probs) {
    const auto found = votes.find(example_id);
    if (found == votes.end()) {
      ++alignment.n_without_votes;
      continue;
    }
    const auto n_labels = static_cast<std::size_t>(label_set.size());
    LABELPROBE_CHECK(of_example.size() == n_labels && found->second.shares.size() == n_labels);
    const ExampleAlignment aligned = align_example(of_example, found->second, label_set.kind());
    alignment.examples.emplace(example_id, aligned);
    examples.push_back(triple_of(aligned));
  }
  if (examples.empty()) {
    throw DataError(name + ": expected examples that people voted on, found none among the " +
                    std::to_string(probs.size()) +
                    " estimated; the log and the votes must be of the same data set");
  }
  alignment.nll = mean_of(examples, 0);
  alignment.l1 = mean_of(examples, 1);
  alignment.f1 = mean_of(examples, 2);
  return alignment;
}

std::map<std::string, std::vector<double>> constant_estimates(const std::vector<double>& rates,
                                                              const Votes& votes) {
  std::map<std::string, std::vector<double>> probs;
  for (const auto& [example_id, of_example] : votes) {
    LABELPROBE_CHECK(of_example.shares.size() == rates.size());
    probs.emplace_hint(probs.end(), example_id, rates);
  }
  return probs;
}

AlignmentDifference paired_bootstrap(
    const Alignment& a, const Alignment& b, int n_resamples, std::int64_t seed, double level) {
  LABELPROBE_CHECK(n_resamples > 0 && level > 0.0 && level < 1.0);
  std::vector<Triple> differences;
  Triple sums{};
  for (const auto& [example_id, of_a] : a.examples) {
    const auto found = b.examples.find(example_id);
    if (found == b.examples.end()) continue;
    const Triple left = triple_of(of_a);
    const Triple right = triple_of(found->second);
    Triple& difference = differences.emplace_back();
    for (std::size_t k = 0; k < sums.size(); ++k) {
      difference[k] = left[k] - right[k];
      sums[k] += difference[k];
    }
  }
  if (differences.empty()) {
    throw DataError("difference between '" + a.name + "' and '" + b.name +
                    "': expected examples that both estimate, found none");
  }
  const auto n = static_cast<std::uint32_t>(differences.size());
  python::Random random(seed);
  std::array<std::vector<double>, 3> resampled;
  for (int resample = 0; resample < n_resamples; ++resample) {
    Triple drawn{};
    for (std::uint32_t i = 0; i < n; ++i) {
      const Triple& difference = differences[random.randbelow(n)];
      for (std::size_t k = 0; k < drawn.size(); ++k) drawn[k] += difference[k];
    }
    for (std::size_t k = 0; k < drawn.size(); ++k) resampled[k].push_back(drawn[k] / n);
  }
  return {n, interval(sums[0] / n, std::move(resampled[0]), level),
          interval(sums[1] / n, std::move(resampled[1]), level),
          interval(sums[2] / n, std::move(resampled[2]), level)};
}

}  // namespace labelprobe::analysis
