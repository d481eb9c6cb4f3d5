#include "labelprobe/analysis/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "analysis/metrics/area_under_curve.h"

namespace labelprobe::analysis {

namespace {

constexpr double kSmallestProb = 1e-8;  // of logarithms; the largest is 1 - 1e-8

double nll(const JudgedExample& example) {
  double sum = 0.0;
  for (std::size_t label = 0; label < example.probs.size(); ++label) {
    const double share = example.shares[label];
    const double p = std::clamp(example.probs[label], kSmallestProb, 1.0 - kSmallestProb);
    sum -= share * std::log(p);
    if (example.kind == LabelKind::MultiLabel) sum -= (1.0 - share) * std::log1p(-p);
  }
  return sum;
}

double l1(const JudgedExample& example) {
  double sum = 0.0;
  for (std::size_t label = 0; label < example.probs.size(); ++label) {
    sum += std::abs(example.probs[label] - example.shares[label]);
  }
  return sum;
}

double f1(const JudgedExample& example) {
  const auto& [kind, probs, shares, predicted, gold] = example;
  if (predicted.empty() && gold.empty()) return 1.0;
  const auto n_common =
      std::count_if(predicted.begin(), predicted.end(), [&gold = gold](LabelIndex label) {
        return std::find(gold.begin(), gold.end(), label) != gold.end();
      });
  return 2.0 * static_cast<double>(n_common) / static_cast<double>(predicted.size() + gold.size());
}

// Over the votes, as the NLL: a share of h are 1 - p away, the others p.
double brier(const JudgedExample& example) {
  double sum = 0.0;
  for (std::size_t label = 0; label < example.probs.size(); ++label) {
    const double p = example.probs[label];
    const double share = example.shares[label];
    sum += share * (1.0 - p) * (1.0 - p) + (1.0 - share) * p * p;
  }
  return sum;
}

template <typename Number>
double mean(std::span<const JudgedLabel> examples, Number JudgedLabel::*number) {
  double sum = 0.0;
  for (const JudgedLabel& example : examples) sum += static_cast<double>(example.*number);
  return sum / static_cast<double>(examples.size());
}

std::optional<double> prevalence(std::span<const JudgedLabel> examples) {
  return mean(examples, &JudgedLabel::is_gold);
}

std::optional<double> mean_share(std::span<const JudgedLabel> examples) {
  return mean(examples, &JudgedLabel::share);
}

std::optional<double> mean_prob(std::span<const JudgedLabel> examples) {
  return mean(examples, &JudgedLabel::prob);
}

// Unset where the label neither occurs nor is predicted.
std::optional<double> f1_of_label(std::span<const JudgedLabel> examples) {
  double n_both = 0.0;
  double n_either = 0.0;
  for (const JudgedLabel& example : examples) {
    n_both += example.is_predicted && example.is_gold ? 1.0 : 0.0;
    n_either += (example.is_predicted ? 1.0 : 0.0) + (example.is_gold ? 1.0 : 0.0);
  }
  return n_either == 0.0 ? std::nullopt : std::optional(2.0 * n_both / n_either);
}

std::optional<double> auc(std::span<const JudgedLabel> examples) {
  std::vector<RankedCase> cases;
  for (const JudgedLabel& example : examples) cases.push_back({example.prob, example.is_gold});
  return area_under_curve(std::move(cases));
}

constexpr std::array kMetrics = {
    Metric{"prevalence", "prevalence", "share of the examples whose aggregate has the label",
           nullptr, false, prevalence},
    Metric{"mean_share", "votes", "mean share of the annotators that chose the label", nullptr,
           false, mean_share},
    Metric{"mean_prob", "mean p", "mean of the estimated probabilities", nullptr, false, mean_prob},
    Metric{"nll", "NLL", "negative log-likelihood of the votes in nats, summed over labels", nll,
           true},
    Metric{"l1", "L1", "distance from the shares of votes, summed over labels", l1, true},
    Metric{"f1", "F1", "example-F1 against the aggregate labels; of a label, over the examples", f1,
           false, f1_of_label},
    Metric{"brier", "Brier", "squared distance from each vote, summed over labels", brier, true},
    Metric{"auc", "AUC", "area under the ROC curve against the aggregate labels", nullptr, false,
           auc},
};

}  // namespace

std::span<const Metric> metrics() {
  return kMetrics;
}

}  // namespace labelprobe::analysis
