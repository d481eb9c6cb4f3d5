// Distributions of numbers that are none yet.
#pragma once

#include <vector>

namespace labelprobe::analysis {

// p / sum of p; equal shares where the sum is 0.
std::vector<double> normalized(std::vector<double> numbers);
std::vector<double> softmax(const std::vector<double>& numbers);

}  // namespace labelprobe::analysis
