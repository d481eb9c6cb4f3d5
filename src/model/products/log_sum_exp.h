// What a row of logits on the CPU says of its softmax as a whole.
#pragma once

#include <cstdint>

namespace labelprobe::model {

struct SoftmaxSums {
  float log_sum_exp = 0.0F;  // the denominator's natural log
  float entropy = 0.0F;      // in nats; 0 where the largest number is infinite
};

// For numbers x[n] whose largest is known.
SoftmaxSums softmax_sums(const float* x, std::int64_t n, float largest);

}  // namespace labelprobe::model
