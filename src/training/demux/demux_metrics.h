// From logits to labels and metrics, and which metric decides.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "labelprobe/record/training_log.h"
#include "labelprobe/training/demux.h"

namespace labelprobe::training {

// [n, n_labels] logits as probabilities and predictions: multi-label sigmoids and the labels whose
// logit is 0.5 or more, as published; single-label softmax and the largest.
std::vector<record::ScoredLabels> read_logits(const at::Tensor& logits, const LabelSet& label_set);

// Multi-label: as analysis::classification_metrics(); single-label: "accuracy" and "f1", the mean
// over the classes that occur or are predicted.
std::map<std::string, double> demux_metrics(const std::vector<Example>& examples,
                                            const std::vector<record::ScoredLabels>& found,
                                            const LabelSet& label_set);

// The dev role's metric that the settings ask for, "macro_f1" or "f1" if they ask for none; empty
// for one that is not there, which only the published stopping allows. Throws ConfigError.
std::string chosen_metric(const DemuxSettings& settings, const LabelSet& label_set);

}  // namespace labelprobe::training
