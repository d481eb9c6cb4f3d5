// Set metrics of predicted against gold labels, as the published logs define them (zero-safe
// everywhere).
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

}  // namespace labelprobe::analysis
