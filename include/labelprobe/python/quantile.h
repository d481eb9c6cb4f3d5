// Order statistics of a list of numbers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace labelprobe::python {

// As numpy's percentile with method `linear`; `sorted` ascending, not empty; share from 0 to 1.
inline double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace labelprobe::python
