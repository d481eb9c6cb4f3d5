// Reads the tables of a task file and makes the records of its splits.
#pragma once

#include "data/reading/records.h"
#include "data/tasks/task_form.h"

namespace labelprobe::data {

// Throws ConfigError for a split that the task has not, and DataError (file, line, expected, found)
// for what is wrong with the tables.
LoadedSplits load_task(const TaskFile& task, const DatasetOptions& options);

}  // namespace labelprobe::data
