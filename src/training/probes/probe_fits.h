// The regressions for all labels of a set: multi-label sets have one per label, single-label sets
// one over the classes that occur.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "labelprobe/core/label_set.h"
#include "labelprobe/training/probes.h"

#include "training/probes/reduction.h"
#include "training/probes/regression.h"

namespace labelprobe::training {

struct LabelProbe {
  // Multi-label: one label, whose classes are no and yes. Single-label: the labels that are the
  // classes.
  std::vector<LabelIndex> labels;
  // In training all rows were of this class: nothing to fit. Single-label: a position in `labels`.
  std::optional<int> constant;
  Regression regression;
};

struct LabelProbes {
  std::vector<LabelProbe> probes;

  // [n_rows][n_labels]: the probability of each label; of a class that did not occur it is 0.
  std::vector<std::vector<double>> label_probs(const at::Tensor& features,
                                               const LabelSet& label_set) const;

  // The same probes of what the features were reduced from: many times faster than to reduce rows
  // first, where they are wanted for nothing else.
  LabelProbes before(const Reduction& reduction) const;
};

// One LabelProbes per wanted set of labels.
//   features  [n_rows][n_features] float64
//   wanted    the labels of every row, several times over; where all are known
std::vector<LabelProbes> fit_probes(const at::Tensor& features,
                                    std::span<const std::vector<Labels>> wanted,
                                    const LabelSet& label_set,
                                    const ProbeSettings& settings,
                                    const ProbeProgress& progress);

// Multi-label: what is more probable than not; single-label: the likeliest label.
Labels choose_labels(const std::vector<double>& label_probs, const LabelSet& label_set);

}  // namespace labelprobe::training
