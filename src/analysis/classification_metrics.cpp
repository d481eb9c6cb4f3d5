#include "labelprobe/analysis/classification_metrics.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "labelprobe/core/error.h"

namespace labelprobe::analysis {

namespace {

struct Counts {
  std::int64_t n_true_positive = 0;
  std::int64_t n_false_positive = 0;
  std::int64_t n_false_negative = 0;

  Counts& operator+=(const Counts& other) {
    n_true_positive += other.n_true_positive;
    n_false_positive += other.n_false_positive;
    n_false_negative += other.n_false_negative;
    return *this;
  }

  double f1() const {
    const std::int64_t n_all = 2 * n_true_positive + n_false_positive + n_false_negative;
    return n_all == 0 ? 0.0
                      : 2.0 * static_cast<double>(n_true_positive) / static_cast<double>(n_all);
  }

  double jaccard() const {
    const std::int64_t n_union = n_true_positive + n_false_positive + n_false_negative;
    return n_union == 0 ? 1.0 : static_cast<double>(n_true_positive) / static_cast<double>(n_union);
  }
};

// One mark per label of the set.
std::vector<bool> marks(const Labels& labels, int n_labels) {
  std::vector<bool> is_marked(static_cast<std::size_t>(n_labels), false);
  for (const LabelIndex label : labels) {
    LABELPROBE_CHECK(label >= 0 && label < n_labels);
    is_marked[static_cast<std::size_t>(label)] = true;
  }
  return is_marked;
}

}  // namespace

std::map<std::string, double> classification_metrics(std::span<const LabelledPair> items,
                                                     const LabelSet& label_set) {
  std::vector<Counts> by_label(static_cast<std::size_t>(label_set.size()));
  double jaccard_sum = 0.0;
  for (const LabelledPair& item : items) {
    const std::vector<bool> gold = marks(item.gold, label_set.size());
    const std::vector<bool> predicted = marks(item.predicted, label_set.size());
    Counts of_item;
    for (std::size_t label = 0; label < by_label.size(); ++label) {
      const Counts counts{gold[label] && predicted[label], !gold[label] && predicted[label],
                          gold[label] && !predicted[label]};
      by_label[label] += counts;
      of_item += counts;
    }
    jaccard_sum += of_item.jaccard();
  }

  std::map<std::string, double> metrics;
  Counts all;
  double f1_sum = 0.0;
  for (std::size_t label = 0; label < by_label.size(); ++label) {
    all += by_label[label];
    f1_sum += by_label[label].f1();
    metrics[label_set.names()[label] + "_f1"] = by_label[label].f1();
  }
  // Last: a label called "micro" or "macro" does not hide the metric of the whole set.
  metrics["jaccard_score"] = items.empty() ? 0.0 : jaccard_sum / static_cast<double>(items.size());
  metrics["micro_f1"] = all.f1();
  metrics["macro_f1"] = by_label.empty() ? 0.0 : f1_sum / static_cast<double>(by_label.size());
  return metrics;
}

}  // namespace labelprobe::analysis
