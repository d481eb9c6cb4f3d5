#include "labelprobe/analysis/listing_metrics.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"

#include "analysis/metrics/area_under_curve.h"

namespace labelprobe::analysis {

namespace {

// One label of one item.
struct Decision {
  double score = 0.0;
  bool is_gold = false;
  bool is_predicted = false;
};

// [n_items][n_labels]
using Decisions = std::vector<std::vector<Decision>>;

struct ListingCounts {
  std::int64_t n_gold = 0;
  std::int64_t n_predicted = 0;
  std::int64_t n_both = 0;

  void add(const Decision& decision) {
    n_gold += decision.is_gold;
    n_predicted += decision.is_predicted;
    n_both += decision.is_gold && decision.is_predicted;
  }

  std::optional<double> f1() const {
    if (n_gold + n_predicted == 0) return std::nullopt;
    return 2.0 * static_cast<double>(n_both) / static_cast<double>(n_gold + n_predicted);
  }
};

Decisions decisions_of(std::span<const ScoredItem> items, int n_labels) {
  Decisions all;
  for (const ScoredItem& item : items) {
    LABELPROBE_CHECK(item.scores.size() == static_cast<std::size_t>(n_labels));
    std::vector<Decision>& of = all.emplace_back();
    for (const double score : item.scores) of.push_back({score});
    for (const LabelIndex label : item.gold) {
      of.at(static_cast<std::size_t>(label)).is_gold = true;
    }
  }
  return all;
}

std::vector<std::size_t> two_class_labels(const Decisions& decisions, int n_labels) {
  std::vector<std::size_t> labels;
  for (std::size_t l = 0; l < static_cast<std::size_t>(n_labels); ++l) {
    const auto n_gold = static_cast<std::size_t>(
        std::count_if(decisions.begin(), decisions.end(),
                      [&](const std::vector<Decision>& of) { return of[l].is_gold; }));
    if (n_gold > 0 && n_gold < decisions.size()) labels.push_back(l);
  }
  return labels;
}

std::optional<double> mean(const std::vector<double>& numbers) {
  if (numbers.empty()) return std::nullopt;
  return std::accumulate(numbers.begin(), numbers.end(), 0.0) / static_cast<double>(numbers.size());
}

SetMetrics set_metrics(const Decisions& decisions, std::span<const std::size_t> two_class) {
  ListingCounts all;
  std::vector<double> errors;
  for (const std::vector<Decision>& of : decisions) {
    for (const Decision& decision : of) {
      all.add(decision);
      errors.push_back(decision.is_gold == decision.is_predicted ? 0.0 : 1.0);
    }
  }
  std::vector<double> by_label;
  for (const std::size_t l : two_class) {
    ListingCounts of_label;
    for (const std::vector<Decision>& of : decisions) of_label.add(of[l]);
    by_label.push_back(of_label.f1().value());
  }
  return {all.f1(), mean(by_label), mean(errors)};
}

std::vector<RankedCase> cases_of(const Decisions& decisions, std::optional<std::size_t> label) {
  std::vector<RankedCase> cases;
  for (const std::vector<Decision>& of : decisions) {
    for (std::size_t l = 0; l < of.size(); ++l) {
      if (!label || l == *label) cases.push_back({of[l].score, of[l].is_gold});
    }
  }
  return cases;
}

// By the items of all folds but one; unset if none of them has a label.
std::optional<double> fit_threshold(std::span<const ScoredItem> items,
                                    const Decisions& decisions,
                                    int left_out) {
  std::vector<Decision> seen;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].fold == left_out) continue;
    seen.insert(seen.end(), decisions[i].begin(), decisions[i].end());
  }
  std::sort(seen.begin(), seen.end(),
            [](const Decision& a, const Decision& b) { return a.score > b.score; });
  ListingCounts counts;
  for (const Decision& decision : seen) counts.n_gold += decision.is_gold;
  if (counts.n_gold == 0) return std::nullopt;
  double best_f1 = -1.0;
  double threshold = 0.0;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    ++counts.n_predicted;
    counts.n_both += seen[i].is_gold;
    const double next = i + 1 < seen.size() ? seen[i + 1].score : 0.0;
    if (i + 1 < seen.size() && next == seen[i].score) continue;
    if (*counts.f1() > best_f1) {
      best_f1 = *counts.f1();
      threshold = (seen[i].score + next) / 2.0;
    }
  }
  return threshold;
}

void predict(Decisions& decisions, std::span<const double> thresholds) {
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    for (Decision& decision : decisions[i]) {
      decision.is_predicted = decision.score >= thresholds[i];
    }
  }
}

void fit(std::span<const ScoredItem> items,
         Decisions& decisions,
         std::span<const std::size_t> two_class,
         int n_folds,
         ListingMetrics& metrics) {
  if (static_cast<std::size_t>(n_folds) > items.size()) {
    metrics.why_not_fitted = "fewer items than folds";
    return;
  }
  std::vector<double> of_folds;
  for (int fold = 0; fold < n_folds; ++fold) {
    const std::optional<double> threshold = fit_threshold(items, decisions, fold);
    if (!threshold) {
      metrics.why_not_fitted = "no item outside of a fold has a label";
      return;
    }
    of_folds.push_back(*threshold);
  }
  std::vector<double> of_items;
  for (const ScoredItem& item : items) {
    of_items.push_back(of_folds.at(static_cast<std::size_t>(item.fold)));
  }
  predict(decisions, of_items);
  metrics.at_fitted = set_metrics(decisions, two_class);
  metrics.fitted_thresholds = std::move(of_folds);
}

}  // namespace

ListingMetrics listing_metrics(std::span<const ScoredItem> items,
                               int n_labels,
                               const ThresholdOptions& options) {
  LABELPROBE_CHECK(options.n_folds == 0 || options.n_folds >= 2);
  Decisions decisions = decisions_of(items, n_labels);
  const std::vector<std::size_t> two_class = two_class_labels(decisions, n_labels);
  ListingMetrics metrics;
  metrics.n_items = items.size();
  metrics.n_labels = n_labels;
  metrics.n_two_class = static_cast<int>(two_class.size());
  metrics.micro_auc = area_under_curve(cases_of(decisions, std::nullopt));
  std::vector<double> areas;
  for (const std::size_t l : two_class) {
    areas.push_back(area_under_curve(cases_of(decisions, l)).value());
  }
  metrics.macro_auc = mean(areas);
  metrics.threshold = options.fixed;
  predict(decisions, std::vector<double>(items.size(), options.fixed));
  metrics.at_threshold = set_metrics(decisions, two_class);
  if (options.n_folds > 0) fit(items, decisions, two_class, options.n_folds, metrics);
  return metrics;
}

std::vector<int> folds_of(std::span<const std::string> ids, int n_folds, std::int64_t seed) {
  LABELPROBE_CHECK(n_folds >= 1);
  std::vector<std::pair<std::string, std::size_t>> order;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    Fingerprint fingerprint;
    fingerprint.add(std::to_string(seed));
    fingerprint.add(ids[i]);
    order.emplace_back(fingerprint.hex() + ids[i], i);
  }
  std::sort(order.begin(), order.end());
  std::vector<int> folds(ids.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    folds[order[i].second] = static_cast<int>(i % static_cast<std::size_t>(n_folds));
  }
  return folds;
}

}  // namespace labelprobe::analysis
