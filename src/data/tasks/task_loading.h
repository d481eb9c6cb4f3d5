// Reads the tables of a task file and makes the records of its splits.
#pragma once

#include "labelprobe/data/soft_labels.h"

#include "data/reading/records.h"
#include "data/tasks/task_form.h"

namespace labelprobe::data {

// Throws ConfigError for a split that the task has not, and DataError (file, line, expected, found)
// for what is wrong with the tables.
//   shares  where given: those of the items, where labels are columns of shares
LoadedSplits load_task(const TaskFile& task,
                       const DatasetOptions& options,
                       LabelShares* shares = nullptr);

}  // namespace labelprobe::data
