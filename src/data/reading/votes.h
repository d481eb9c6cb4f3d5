// From the votes of several annotators to one label, and from the labels that were found to a label
// set.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/reading/records.h"

namespace labelprobe::data {

// DataError, opening with `place`, for a name that is empty or stands for all annotators.
void check_annotator(const std::string& annotator, const std::string& place);

// The most frequent label; of several, the one voted for first. `votes` is not empty.
LabelIndex majority_of(std::span<const LabelIndex> votes);

// The labels that at least half of the votes have. `votes` is not empty.
Labels labels_of_half(const std::vector<Vote>& votes);

// Makes a label set of the names that any vote of the last split has, in the order of `names`, and
// renumbers the labels of all splits from positions in `names` to positions in it. Throws DataError
// if the last split has no label at all, or another one has a label that the last has not.
LabelSet keep_labels_found(std::string_view dataset,
                           const std::vector<std::string>& names,
                           LabelKind kind,
                           std::vector<SplitRecords>& splits);

}  // namespace labelprobe::data
