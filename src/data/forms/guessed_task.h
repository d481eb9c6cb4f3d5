// A draft of a task file for a table of which nothing is known but its columns.
#pragma once

#include <string>

#include "labelprobe/files/table.h"

namespace labelprobe::data {

// The draft without its `name` and `files`, in which every line says what it was guessed from.
//   has_splits  whether the files tell the splits apart
// Throws DataError where no column looks like texts or none like labels, listing what was found.
std::string guess_task(const files::Table& table, bool has_splits);

}  // namespace labelprobe::data
