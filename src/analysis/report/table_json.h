// The table of an alignment as JSON, every digit kept.
#pragma once

#include <iosfwd>

#include "labelprobe/analysis/table.h"

namespace labelprobe::analysis {

// {"task", "rows": [..], "differences": [..], "warnings": [..]}; what a row does not have is null.
void write_json(std::ostream& out, const AlignmentTable& table);

}  // namespace labelprobe::analysis
