#include "labelprobe/analysis/classification_metrics.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "labelprobe/core/error.h"

#include "analysis/metrics/area_under_curve.h"

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

constexpr LabelIndex kNoClass = -1;

// Gold and predicted class of a single-label item.
struct Classes {
  LabelIndex gold;
  LabelIndex predicted;
};

std::vector<Classes> classes_of(std::span<const LabelledPair> items, int n_classes) {
  std::vector<Classes> classes;
  classes.reserve(items.size());
  for (const LabelledPair& item : items) {
    LABELPROBE_CHECK(item.gold.size() == 1 && item.predicted.size() <= 1);
    const Classes of_item{item.gold[0], item.predicted.empty() ? kNoClass : item.predicted[0]};
    LABELPROBE_CHECK(of_item.gold >= 0 && of_item.gold < n_classes);
    LABELPROBE_CHECK(of_item.predicted >= kNoClass && of_item.predicted < n_classes);
    classes.push_back(of_item);
  }
  return classes;
}

double accuracy(const std::vector<Classes>& items) {
  const auto n_right = std::count_if(
      items.begin(), items.end(), [](const Classes& item) { return item.gold == item.predicted; });
  return items.empty() ? 0.0 : static_cast<double>(n_right) / static_cast<double>(items.size());
}

// [n_classes]
std::vector<Counts> count_by_class(const std::vector<Classes>& items, int n_classes) {
  std::vector<Counts> by_class(static_cast<std::size_t>(n_classes));
  for (const Classes& item : items) {
    Counts& of_gold = by_class[static_cast<std::size_t>(item.gold)];
    if (item.gold == item.predicted) {
      ++of_gold.n_true_positive;
      continue;
    }
    ++of_gold.n_false_negative;
    if (item.predicted != kNoClass) {
      ++by_class[static_cast<std::size_t>(item.predicted)].n_false_positive;
    }
  }
  return by_class;
}

// The area under the ROC curve with the predicted class as the score and the larger gold class as
// the positive one; 0 unless there are exactly two gold classes.
double area_between_classes(const std::vector<Classes>& items) {
  const auto [least, most] =
      std::minmax_element(items.begin(), items.end(),
                          [](const Classes& a, const Classes& b) { return a.gold < b.gold; });
  std::vector<RankedCase> cases;
  for (const Classes& item : items) {
    if (item.gold != least->gold && item.gold != most->gold) return 0.0;
    cases.push_back({static_cast<double>(item.predicted), item.gold != least->gold});
  }
  return area_under_curve(std::move(cases)).value_or(0.0);
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

std::map<std::string, double> single_label_metrics(std::span<const LabelledPair> items,
                                                   const LabelSet& label_set) {
  const std::vector<Classes> classes = classes_of(items, label_set.size());
  double f1_sum = 0.0;
  int n_occurring = 0;
  for (const Counts& counts : count_by_class(classes, label_set.size())) {
    if (counts.n_true_positive + counts.n_false_positive + counts.n_false_negative == 0) continue;
    f1_sum += counts.f1();
    ++n_occurring;
  }
  const double auc = area_between_classes(classes);
  return {{"accuracy", accuracy(classes)},
          {"macro_f1", n_occurring == 0 ? 0.0 : f1_sum / n_occurring},
          {"macro_auc", auc},
          {"micro_auc", auc}};
}

std::map<std::string, double> pair_metrics(std::span<const LabelledPair> items) {
  constexpr int kNClasses = 2;
  const std::vector<Classes> classes = classes_of(items, kNClasses);
  return {{"accuracy", accuracy(classes)},
          {"f1", count_by_class(classes, kNClasses)[1].f1()},
          {"auc", area_between_classes(classes)}};
}

}  // namespace labelprobe::analysis
