#include "model/products/log_sum_exp.h"

#include <algorithm>
#include <cmath>

#include "model/products/vector_code.h"

namespace labelprobe::model {
namespace {

struct Sums {
  double exps = 0;      // of exp(d), where d = x[i] - largest
  double weighted = 0;  // of exp(d) d
};

// What is less than the last bit of the largest one's share is cut off at the range of the series.
LABELPROBE_FOR_EACH_PROCESSOR
Sums sum_up(const float* x, std::int64_t n, float largest) {
  constexpr int kLanes = 64;
  float exps[kLanes] = {};
  float weighted[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      const float d = std::max(x[i + lane] - largest, -87.0f);
      const float share = exp_of_negative(d);
      exps[lane] += share;
      weighted[lane] += share * d;
    }
  }
  Sums sums;
  for (; i < n; ++i) {
    const float d = std::max(x[i] - largest, -87.0f);
    const float share = exp_of_negative(d);
    sums.exps += share;
    sums.weighted += share * d;
  }
  for (const float sum : exps) sums.exps += sum;
  for (const float sum : weighted) sums.weighted += sum;
  return sums;
}

}  // namespace

SoftmaxSums softmax_sums(const float* x, std::int64_t n, float largest) {
  if (std::isinf(largest)) return {largest, 0.0F};
  const Sums sums = sum_up(x, n, largest);
  const double log_of_exps = std::log(sums.exps);
  return {static_cast<float>(largest + log_of_exps),
          static_cast<float>(log_of_exps - sums.weighted / sums.exps)};
}

}  // namespace labelprobe::model
