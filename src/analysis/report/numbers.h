// Numbers as texts.
#pragma once

#include <string>

namespace labelprobe::analysis {

// For people: "23.93".
std::string rounded(double number, int n_decimals = 2);

// For programs: the fewest characters that read back equal.
std::string exact(double number);

}  // namespace labelprobe::analysis
