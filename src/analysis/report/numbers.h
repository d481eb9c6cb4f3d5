// Numbers as texts.
#pragma once

#include <string>

namespace labelprobe::analysis {

// For people: "23.93".
std::string rounded(double number, int n_decimals = 2);

// For programs: the fewest characters that read back equal.
std::string exact(double number);

// The same with the point that YAML 1.1 asks of numbers: "1.0e-05".
std::string yaml_number(double number);

}  // namespace labelprobe::analysis
