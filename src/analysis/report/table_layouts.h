// One function per format of a table of alignments; listed in table.cpp.
#pragma once

#include <iosfwd>

#include "labelprobe/analysis/table.h"

namespace labelprobe::analysis {

void write_table_for_terminal(std::ostream& out, const AlignmentTable& table);
void write_table_for_markdown(std::ostream& out, const AlignmentTable& table);
void write_table_for_latex(std::ostream& out, const AlignmentTable& table);
// A part of a page: a figure element with the title, the tables and the legend.
void write_table_for_html(std::ostream& out, const AlignmentTable& table);

// One line per row and label, every digit kept; what a line does not have is empty.
void write_table_csv(std::ostream& out, const AlignmentTable& table);

// {"task", "rows": [..], "differences": [..], "validity": [..], "warnings": [..]}, every digit
// kept; what a row does not have is null.
void write_table_json(std::ostream& out, const AlignmentTable& table);

}  // namespace labelprobe::analysis
