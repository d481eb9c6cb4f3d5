// The logistic function, without overflow for any finite argument.
#pragma once

#include <cmath>

namespace labelprobe::analysis {

inline double sigmoid(double x) {
  const double decay = std::exp(-std::abs(x));
  return (x >= 0.0 ? 1.0 : decay) / (1.0 + decay);
}

}  // namespace labelprobe::analysis
