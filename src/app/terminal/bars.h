// Shares as bars of block characters, for terminals.
#pragma once

#include <cstddef>
#include <string>

namespace labelprobe::app {

// `share` of `width` columns, to an eighth of a column; "" for less than that.
//   share  from 0 to 1; what lies outside is cut, and not-a-number is 0
std::string bar_of(double share, std::size_t width);

}  // namespace labelprobe::app
