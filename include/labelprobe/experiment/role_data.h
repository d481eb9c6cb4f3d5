// One role's examples as a run would have them, with their numbers, told to people and to programs:
// what `labelprobe data` shows. Knows nothing of terminals.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "labelprobe/data/dataset.h"
#include "labelprobe/data/soft_labels.h"
#include "labelprobe/data/summary.h"

namespace labelprobe::experiment {

struct RoleData {
  std::string role;  // "train" or "test"
  data::DatasetOptions options;
  bool has_annotators = false;  // where options ask for them
  data::Dataset dataset;
  data::Summary summary;
  std::vector<std::string> none_words;  // of data::TaskInfo
  data::LabelShares shares;  // soft labels of its examples; none where there are no shares
};

// Throws as data::load().
RoleData load_role(const std::string& task, const std::string& role, data::DatasetOptions options);

// Tables of splits, labels and annotators.
void print_role(std::ostream& out, const RoleData& data);

// The same as one object, every number in full, with the first `n_shown` items.
nlohmann::ordered_json describe_role(const RoleData& data, std::size_t n_shown);

// "anger 0.25, joy 0.75", the labels without a share left out; empty where the example has no soft
// labels.
std::string describe_shares(const RoleData& data, const std::string& example_id);

// {"id", "text", "labels"}, with "annotator" for items that are not the aggregate's, and with
// "shares" (label -> share) for items that have soft labels.
nlohmann::ordered_json describe_item(const Example& example, const RoleData& data);

}  // namespace labelprobe::experiment
