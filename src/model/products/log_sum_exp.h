// The denominator of a softmax over a row of logits on the CPU.
#pragma once

#include <cstdint>

namespace labelprobe::model {

// log of the sum of exp(x[i]), of numbers whose largest is known.
float log_sum_exp(const float* x, std::int64_t n, float largest);

}  // namespace labelprobe::model
