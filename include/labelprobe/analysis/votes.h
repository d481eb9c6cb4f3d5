// What people chose: the share of an example's annotators per label, which estimates are compared
// with.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/core/example.h"
#include "labelprobe/core/label_set.h"

namespace labelprobe::analysis {

struct ExampleVotes {
  std::vector<double> shares;  // [n_labels]; single-label: they sum to 1
  int n_annotators = 0;
  Labels gold;  // the aggregate's
};

// By example id.
using Votes = std::map<std::string, ExampleVotes>;

// From the items of a data set loaded with all annotators and the aggregate. Examples without an
// annotator's vote, or without an aggregate, are left out.
Votes count_votes(std::span<const Example> examples, const LabelSet& label_set);

// Each label's mean share over the examples, the base rates; [n_labels], empty without votes.
std::vector<double> mean_shares(const Votes& votes);

}  // namespace labelprobe::analysis
