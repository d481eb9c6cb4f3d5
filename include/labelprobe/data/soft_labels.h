// Soft labels: data sets that have, in place of annotators' votes, the share of people who chose
// each label.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/data/dataset.h"

namespace labelprobe::data {

// By example id: the share of each label, 0 to 1; [n_labels].
using LabelShares = std::map<std::string, std::vector<double>>;

struct SoftSet {
  Dataset dataset;
  // The shares of the examples above; empty where no share lies between 0 and 1, for such columns
  // say which labels there are and nothing about people.
  LabelShares shares;
};

// Whether the labels of `task` are columns of numbers with no annotators beside them, which may be
// shares. Throws as task_info().
bool may_have_shares(std::string_view task);

// Reads such a set. Throws as load().
SoftSet load_soft(std::string_view task, const DatasetOptions& options);

}  // namespace labelprobe::data
