#include "labelprobe/analysis/alignment.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::analysis {

namespace {

constexpr double kPredictedAbove = 0.5;
// Labels that win as many pairings as another have equal scores, and so probabilities that are even
// but for rounding, which must not decide what is predicted.
constexpr double kEven = 1e-6;

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

// The examples with votes, in the order of their ids. Spans point into estimates and votes.
struct Judged {
  std::vector<std::string> ids;
  std::vector<JudgedExample> examples;
  std::size_t n_without_votes = 0;
};

Judged judge(const Distributions& estimates, const Votes& votes, const LabelSet& label_set) {
  const auto n_labels = static_cast<std::size_t>(label_set.size());
  Judged judged;
  for (const auto& [id, probs] : estimates.probs) {
    const auto found = votes.find(id);
    if (found == votes.end()) {
      ++judged.n_without_votes;
      continue;
    }
    const std::vector<double>& shares = found->second.shares;
    LABELPROBE_CHECK(probs.size() == n_labels && shares.size() == n_labels);
    LABELPROBE_CHECK(
        std::all_of(probs.begin(), probs.end(), [](double p) { return p >= 0.0 && p <= 1.0; }));
    judged.ids.push_back(id);
    judged.examples.push_back({label_set.kind(), probs, shares,
                               predicted_labels(probs, label_set.kind()), found->second.gold});
  }
  if (judged.ids.empty()) {
    throw DataError(
        fmt::format("{}: expected examples that people voted on, found none among the {} "
                    "estimated; the log and the votes must be of the same data set",
                    estimates.estimator, estimates.probs.size()));
  }
  return judged;
}

Measured mean_over(const Metric& metric, const std::vector<JudgedExample>& examples) {
  Measured measured{.metric = &metric, .value = 0.0, .standard_error = {}, .by_example = {}};
  const auto n = static_cast<double>(examples.size());
  double sum = 0.0;
  for (const JudgedExample& example : examples) {
    measured.by_example.push_back(metric.of_example(example));
    sum += measured.by_example.back();
  }
  const double mean = sum / n;
  double squares = 0.0;
  for (const double number : measured.by_example) squares += std::pow(number - mean, 2);
  measured.value = mean;
  if (examples.size() > 1) measured.standard_error = std::sqrt(squares / (n - 1.0) / n);
  return measured;
}

bool has(const Labels& labels, LabelIndex label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

Alignment align_label(const Judged& judged, LabelIndex label) {
  const auto at = static_cast<std::size_t>(label);
  std::vector<JudgedExample> terms;
  std::vector<JudgedLabel> column;
  for (const JudgedExample& example : judged.examples) {
    const bool is_predicted = has(example.predicted, label);
    const bool is_gold = has(example.gold, label);
    terms.push_back({example.kind, example.probs.subspan(at, 1), example.shares.subspan(at, 1),
                     is_predicted ? Labels{0} : Labels{}, is_gold ? Labels{0} : Labels{}});
    column.push_back({example.probs[at], example.shares[at], is_predicted, is_gold});
  }
  Alignment alignment{judged.ids, {}, judged.n_without_votes};
  for (const Metric& metric : metrics()) {
    if (metric.is_sum_over_labels) {
      alignment.metrics.push_back(mean_over(metric, terms));
    } else if (metric.of_label) {
      alignment.metrics.push_back({&metric, metric.of_label(column), std::nullopt, {}});
    }
  }
  return alignment;
}

}  // namespace

const Measured* Alignment::find(std::string_view metric) const {
  const auto found = std::find_if(metrics.begin(), metrics.end(), [&](const Measured& measured) {
    return measured.metric->name == metric;
  });
  return found == metrics.end() ? nullptr : &*found;
}

Alignment align(const Distributions& estimates, const Votes& votes, const LabelSet& label_set) {
  Judged judged = judge(estimates, votes, label_set);
  Alignment alignment;
  alignment.n_without_votes = judged.n_without_votes;
  for (const Metric& metric : metrics()) {
    if (metric.of_example) alignment.metrics.push_back(mean_over(metric, judged.examples));
  }
  alignment.example_ids = std::move(judged.ids);
  return alignment;
}

std::vector<Alignment> align_labels(const Distributions& estimates,
                                    const Votes& votes,
                                    const LabelSet& label_set) {
  const Judged judged = judge(estimates, votes, label_set);
  std::vector<Alignment> by_label;
  for (LabelIndex label = 0; label < label_set.size(); ++label) {
    by_label.push_back(align_label(judged, label));
  }
  return by_label;
}

Distributions constant_estimates(const std::vector<double>& rates, const Votes& votes) {
  Distributions constant{"constant", {}};
  for (const auto& [example_id, of_example] : votes) {
    LABELPROBE_CHECK(of_example.shares.size() == rates.size());
    constant.probs.emplace_hint(constant.probs.end(), example_id, rates);
  }
  return constant;
}

}  // namespace labelprobe::analysis
