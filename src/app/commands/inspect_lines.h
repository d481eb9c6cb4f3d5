// The lines that `labelprobe inspect` writes: an item each.
#pragma once

#include <string>

#include "labelprobe/experiment/inspection.h"

namespace labelprobe::app {

// Numbers of labels stand in the order of the line's "labels".
std::string inspection_line(const experiment::Inspection& inspection);

// Reads a line of this program back, for the means: its numbers, or its failure.
experiment::Inspection read_inspection_line(const std::string& line);

}  // namespace labelprobe::app
