// How far an estimate is from what people chose: one row per metric. Tables, files, intervals and
// listings loop over the rows; a new metric is a function and a row in metrics.cpp.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "labelprobe/core/label_set.h"

namespace labelprobe::analysis {

// One example's estimate beside its votes, for all labels or some of them.
struct JudgedExample {
  LabelKind kind = LabelKind::MultiLabel;
  std::span<const double> probs;   // [n_labels]
  std::span<const double> shares;  // [n_labels], of the annotators
  // Positions in `probs`. Multi-label: p > 0.5; single-label: the largest p, the first of equals.
  // What differs by less than 1e-6 is equal.
  Labels predicted;
  Labels gold;
};

// One example as a single label sees it.
struct JudgedLabel {
  double prob = 0.0;
  double share = 0.0;
  bool is_predicted = false;
  bool is_gold = false;
};

struct Metric {
  std::string_view name;     // in files and flags: "nll"
  std::string_view title;    // in tables: "NLL"
  std::string_view summary;  // "negative log-likelihood of the votes, ..."
  // Reported as mean and standard error over the examples. Null: speaks of single labels only.
  double (*of_example)(const JudgedExample& example) = nullptr;
  // So that it may be taken of one label alone: the mean of its own terms.
  bool is_sum_over_labels = false;
  // The value of one label over all examples, at least one; unset where it is not defined. Null:
  // the metric says nothing of single labels, unless it is such a sum.
  std::optional<double> (*of_label)(std::span<const JudgedLabel> examples) = nullptr;
};

// In the order of the tables' columns.
std::span<const Metric> metrics();

}  // namespace labelprobe::analysis
