// Metrics of predicted against gold labels, as the published logs define them (zero-safe
// everywhere): one function per kind of run.
#pragma once

#include <map>
#include <span>
#include <string>

#include "labelprobe/core/label_set.h"

namespace labelprobe::analysis {

struct LabelledPair {
  Labels gold;
  Labels predicted;
};

// "jaccard_score" (mean over items, 1 when both are empty), "micro_f1", "macro_f1" (unweighted over
// labels, 0 for a label that neither occurs nor is predicted) and "<label>_f1". Single-label items
// count as one-hot vectors. Values as scikit-learn gives them with zero_division=0, the empty-set
// rule of the Jaccard score aside. No items: all 0.
std::map<std::string, double> classification_metrics(std::span<const LabelledPair> items,
                                                     const LabelSet& label_set);

// Single-label items of the plain prompting programs: "accuracy", "macro_f1" (unweighted over the
// classes that occur or are predicted), "macro_auc" and "micro_auc" (area under the ROC curve with
// the predicted class index as the score; both the same, and 0 unless exactly two classes occur in
// the gold labels, where scikit-learn leaves it undefined). No items: all 0.
// Gold has one label per item; an item without a prediction counts as wrong, below every class.
std::map<std::string, double> single_label_metrics(std::span<const LabelledPair> items,
                                                   const LabelSet& label_set);

// Items that verify a label: class 1 is positive ("reasonable", "yes"), class 0 negative.
// "accuracy", "f1" (of class 1, 0 if it neither occurs nor is predicted), "auc" as above.
// An item without a prediction counts as wrong, below both classes.
std::map<std::string, double> pair_metrics(std::span<const LabelledPair> items);

}  // namespace labelprobe::analysis
