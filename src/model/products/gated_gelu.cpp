#include "model/products/gated_gelu.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/record_function.h>

#include "model/products/vector_code.h"

namespace labelprobe::model {
namespace {

// 0.5 x (1 + tanh(z / 2)) is x / (1 + exp(-z)), with z / 2 = sqrt(2 / pi) (x + 0.044715 x^3).
// exp() of the negative half only, which cannot overflow.
LABELPROBE_PART inline float gated_gelu_of(float gate, float up) {
  const float z = 1.59576912f * (gate + 0.044715f * gate * gate * gate);
  const float small = exp_of_negative(std::max(-std::abs(z), -87.0f));
  return gate * up * (z < 0 ? small : 1.0f) / (1.0f + small);
}

LABELPROBE_FOR_EACH_PROCESSOR
void gate_row_by_gelu(const float* gate, const float* up, float* gated, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) gated[i] = gated_gelu_of(gate[i], up[i]);
}

}  // namespace

at::Tensor gated_gelu(at::Tensor gate_up) {
  const std::int64_t width = gate_up.size(1) / 2;
  if (!gate_up.is_cpu()) {
    return at::gelu(gate_up.narrow(1, 0, width), "tanh").mul_(gate_up.narrow(1, width, width));
  }
  RECORD_FUNCTION("labelprobe::gated_gelu", {});
  const at::Tensor wide = gate_up.to(at::kFloat).contiguous();
  at::Tensor gated = at::empty({wide.size(0), width}, wide.options());
  const float* from = wide.const_data_ptr<float>();
  float* to = gated.mutable_data_ptr<float>();
  at::parallel_for(0, gated.size(0), kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const float* gate = from + row * 2 * width;
      gate_row_by_gelu(gate, gate + width, to + row * width, width);
    }
  });
  return gated.to(gate_up.scalar_type());
}

}  // namespace labelprobe::model
