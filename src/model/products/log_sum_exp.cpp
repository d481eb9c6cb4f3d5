#include "model/products/log_sum_exp.h"

#include <algorithm>
#include <cmath>

#include "model/products/vector_code.h"

namespace labelprobe::model {
namespace {

// Sum of exp(x[i] - largest). What is less than the last bit of the largest one's share is cut off
// at the range of the series.
LABELPROBE_FOR_EACH_PROCESSOR
double sum_of_exps(const float* x, std::int64_t n, float largest) {
  constexpr int kLanes = 64;
  float sums[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      sums[lane] += exp_of_negative(std::max(x[i + lane] - largest, -87.0f));
    }
  }
  double total = 0;
  for (; i < n; ++i) total += exp_of_negative(std::max(x[i] - largest, -87.0f));
  for (const float sum : sums) total += sum;
  return total;
}

}  // namespace

float log_sum_exp(const float* x, std::int64_t n, float largest) {
  if (std::isinf(largest)) return largest;
  return static_cast<float>(largest + std::log(sum_of_exps(x, n, largest)));
}

}  // namespace labelprobe::model
