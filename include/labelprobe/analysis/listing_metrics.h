// How well scores of labels, and the sets they make at a threshold, find the labels of items: the
// numbers that listing models are compared by. Thresholds are fitted on items that they are not
// measured on.
// Source: methods beyond the paper's four, sections 9.5, 11 and 15; Praharaj and Kasundra's micro
// F1, Hamming loss and micro ROC-AUC.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/core/label_set.h"

namespace labelprobe::analysis {

struct ScoredItem {
  Labels gold;
  std::vector<double> scores;  // [n_labels]
  int fold = 0;                // from 0
};

// Unset: undefined.
struct SetMetrics {
  std::optional<double> micro_f1;      // where no label is gold and none predicted
  std::optional<double> macro_f1;      // mean over the labels of n_two_class; without one
  std::optional<double> hamming_loss;  // without items
};

struct ListingMetrics {
  std::size_t n_items = 0;
  int n_labels = 0;
  int n_two_class = 0;              // labels that some items have and some have not
  std::optional<double> micro_auc;  // all items and labels as one list; without both classes
  std::optional<double> macro_auc;  // mean over the labels of n_two_class; without one
  double threshold = 0.0;
  SetMetrics at_threshold;  // a label is predicted where its score is at least the threshold
  // Each fold's, by the other folds' items: the threshold of the largest micro F1, of equals the
  // largest, half-way down to the next smaller score (of the smallest: to 0). Empty: not fitted.
  std::vector<double> fitted_thresholds;
  std::optional<SetMetrics> at_fitted;  // each item at its own fold's threshold
  std::string why_not_fitted;           // a sentence's end: "fewer items than folds"
};

struct ThresholdOptions {
  double fixed = 0.5;
  int n_folds = 0;  // 0: no threshold is fitted; else 2 or more
};

ListingMetrics listing_metrics(std::span<const ScoredItem> items,
                               int n_labels,
                               const ThresholdOptions& options);

// The fold of each id, by a fingerprint of seed and id: the same ids make the same folds, in
// whatever order. Ids differ.
std::vector<int> folds_of(std::span<const std::string> ids, int n_folds, std::int64_t seed);

}  // namespace labelprobe::analysis
