// What somebody says about every example: the probabilities that metrics compare with votes.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace labelprobe::analysis {

// By example id: one number per label, [n_labels] in label-set order.
using LabelNumbers = std::map<std::string, std::vector<double>>;

struct Distributions {
  std::string estimator;  // an estimator's name; "scores" of a file, "constant" of a base rate
  // Multi-label: one probability per label; single-label: a distribution, except the estimator
  // `output` as published, which does not sum to 1.
  LabelNumbers probs;

  friend bool operator==(const Distributions&, const Distributions&) = default;
};

}  // namespace labelprobe::analysis
