// What people chose: the share of an example's annotators per label, which estimates are compared
// with.
#pragma once

#include <map>
#include <set>
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

// A data set's labels and what its annotators chose.
struct VotedSet {
  LabelSet label_set;
  std::set<std::string> example_ids;  // all of the splits, with votes or without
  Votes votes;
  std::vector<std::string> warnings;
};

// From the items of a data set loaded with all annotators and the aggregate. Examples without an
// annotator's vote, or without an aggregate, are left out.
Votes count_votes(std::span<const Example> examples, const LabelSet& label_set);

// Each label's mean share over the examples, the base rates; [n_labels], empty without votes.
std::vector<double> mean_shares(const Votes& votes);

// The share of the items that have each label; [n_labels], of at least one item.
std::vector<double> mean_labels(std::span<const Example> items, const LabelSet& label_set);

}  // namespace labelprobe::analysis
