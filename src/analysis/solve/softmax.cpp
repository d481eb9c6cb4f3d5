#include "analysis/solve/softmax.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace labelprobe::analysis {

std::vector<double> normalized(std::vector<double> numbers) {
  double sum = 0.0;
  for (const double number : numbers) sum += number;
  for (double& number : numbers) {
    number = sum > 0.0 ? number / sum : 1.0 / static_cast<double>(numbers.size());
  }
  return numbers;
}

std::vector<double> softmax(const std::vector<double>& numbers) {
  std::vector<double> powers;
  powers.reserve(numbers.size());
  const double most = numbers.empty() ? 0.0 : *std::max_element(numbers.begin(), numbers.end());
  for (const double number : numbers) powers.push_back(std::exp(number - most));
  return normalized(std::move(powers));
}

}  // namespace labelprobe::analysis
