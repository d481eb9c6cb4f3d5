// Aligned columns for a terminal.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace labelprobe::app {

// Every row on a line behind `indent`; the first `n_left` columns to the left, all others, which
// hold numbers, to the right. Rows may differ in length. Widths are in UTF-8 characters.
void print_columns(std::ostream& out,
                   const std::vector<std::vector<std::string>>& rows,
                   std::size_t n_left,
                   const std::string& indent);

// "12.3%" of a share from 0 to 1.
std::string percent(double share);

}  // namespace labelprobe::app
