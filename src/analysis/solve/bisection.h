// The place where a rising function of one number is 0.
#pragma once

namespace labelprobe::analysis {

// To the last digit, by halving; the bound where the function has one sign from `low` to `high`.
template <typename Rising>
double find_zero(const Rising& rising, double low, double high) {
  if (rising(low) >= 0.0) return low;
  if (rising(high) <= 0.0) return high;
  for (;;) {
    const double middle = low + (high - low) / 2.0;
    if (middle <= low || middle >= high) return middle;
    (rising(middle) < 0.0 ? low : high) = middle;
  }
}

}  // namespace labelprobe::analysis
