// Lists whose values people join by commas.
#pragma once

#include <string>
#include <vector>

namespace labelprobe::app {

// "a,b" and "a", "b" are the same list. What comes again is left out, and so are empty parts.
std::vector<std::string> split_at_commas(const std::vector<std::string>& values);

}  // namespace labelprobe::app
