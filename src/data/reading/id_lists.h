// Lists of example ids, one a line, that restrict a data set.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "data/reading/records.h"

namespace labelprobe::data {

// The ids that the lists of `options` allow, over all splits; unset if there is no list. Ids that
// no split has are reported in `warnings`. Throws DataError if a list cannot be read.
std::optional<std::unordered_set<std::string>> allowed_ids(const DatasetOptions& options,
                                                           const std::vector<SplitRecords>& splits,
                                                           std::vector<std::string>& warnings);

}  // namespace labelprobe::data
