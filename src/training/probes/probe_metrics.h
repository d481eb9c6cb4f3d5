// How probes and the model itself do on the test part of a run.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "labelprobe/core/label_set.h"

namespace labelprobe::training {

struct ProbedLabels {
  Labels gold;
  std::optional<Labels> predicted;  // by the model itself; nothing: a single-label item unanswered
  Labels by_gold_probe;
  Labels by_predicted_probe;
  std::string answer;
};

// metrics.yml: the probe of the gold labels, and the model itself under "llm_".
// Multi-label: js, macro_f1, micro_f1; single-label: accuracy and f1, the macro F1.
std::map<std::string, double> gold_metrics(std::span<const ProbedLabels> items,
                                           const LabelSet& label_set);

// metrics_model.yml: the probe of the model's predictions against these. Multi-label also
//   .._nonzero   over items of which the model predicted something
//   .._nonfirst  without the label that the answer names first, over items whose answer names one:
//                that label's column is taken out of each row, so that macro_f1_nonfirst is a mean
//                over columns in which labels mix, as published
//   macro_f1_nonfirst_by_label  the same as a mean over labels
// Metrics over no items are missing.
std::map<std::string, double> predicted_metrics(std::span<const ProbedLabels> items,
                                                const LabelSet& label_set);

// The label whose name occurs earliest in the answer; nothing if none does.
std::optional<LabelIndex> first_label(const std::string& answer, const LabelSet& label_set);

}  // namespace labelprobe::training
