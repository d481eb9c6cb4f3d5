#include "model/products/softcap.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include "model/products/vector_code.h"

namespace labelprobe::model {
namespace {

constexpr std::int64_t kGrain = 1 << 14;

// tanh(y) is (1 - e) / (1 + e) with e = exp(-2 |y|), and y's sign.
LABELPROBE_PART inline float softcapped_of(float x, float cap) {
  const float e = exp_of_negative(std::max(-2.0f * std::abs(x / cap), -87.0f));
  return std::copysign(cap * (1.0f - e) / (1.0f + e), x);
}

LABELPROBE_FOR_EACH_PROCESSOR
void cap_run(const float* from, float cap, float* to, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) to[i] = softcapped_of(from[i], cap);
}

}  // namespace

at::Tensor softcapped(const at::Tensor& numbers, double cap) {
  if (!numbers.is_cpu()) {
    return numbers.div(cap).tanh_().mul_(cap);
  }
  const at::Tensor plain = numbers.contiguous();
  at::Tensor capped = at::empty_like(plain);
  const float* from = plain.const_data_ptr<float>();
  float* to = capped.mutable_data_ptr<float>();
  at::parallel_for(0, plain.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    cap_run(from + begin, static_cast<float>(cap), to + begin, end - begin);
  });
  return capped;
}

}  // namespace labelprobe::model
