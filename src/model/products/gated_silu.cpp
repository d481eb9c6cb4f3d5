#include "model/products/gated_silu.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/record_function.h>

#include "model/products/vector_code.h"
#include "weights/device/cuda_operators.h"

namespace labelprobe::model {
namespace {

// silu(gate) * up.
LABELPROBE_PART inline float gated_silu_of(float gate, float up) {
  // exp() of the negative half only, which cannot overflow.
  const float small = exp_of_negative(std::max(-std::abs(gate), -87.0f));
  return gate * up * (gate < 0 ? small : 1.0f) / (1.0f + small);
}

LABELPROBE_FOR_EACH_PROCESSOR
void gate_row_by_silu(const float* gate, const float* up, float* gated, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) gated[i] = gated_silu_of(gate[i], up[i]);
}

LABELPROBE_FOR_EACH_PROCESSOR
void gate_row_by_silu(const std::uint16_t* gate,
                      const std::uint16_t* up,
                      std::uint16_t* gated,
                      std::int64_t n) {
  by_steps(n, [&](std::int64_t first, std::int64_t n_step) LABELPROBE_PART {
    float wide[kStep];
    float wide_up[kStep];
    convert(gate + first, wide, n_step);
    convert(up + first, wide_up, n_step);
    for (std::int64_t i = 0; i < n_step; ++i) wide[i] = gated_silu_of(wide[i], wide_up[i]);
    convert(wide, gated + first, n_step);
  });
}

template <typename T>
void gate_rows(const at::Tensor& gate_up, at::Tensor& gated) {
  const std::int64_t width = gated.size(1);
  const std::int64_t stride = gate_up.stride(0);
  const T* from = static_cast<const T*>(gate_up.const_data_ptr());
  T* to = static_cast<T*>(gated.mutable_data_ptr());
  at::parallel_for(0, gated.size(0), kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const T* gate = from + row * stride;
      gate_row_by_silu(gate, gate + width, to + row * width, width);
    }
  });
}

}  // namespace

at::Tensor gated_silu(at::Tensor gate_up) {
  const std::int64_t width = gate_up.size(1) / 2;
  const bool is_half = gate_up.scalar_type() == at::kBFloat16;
  if (gate_up.is_cuda() && weights::cuda_operators())
    return weights::cuda_operators()->gated_silu.call(gate_up);
  if (!gate_up.is_cpu() || gate_up.stride(1) != 1 ||
      !(is_half || gate_up.scalar_type() == at::kFloat)) {
    at::Tensor gate = gate_up.narrow(1, 0, width);
    at::silu_(gate);
    return gate.mul_(gate_up.narrow(1, width, width));
  }
  RECORD_FUNCTION("labelprobe::gated_silu", {});
  at::Tensor gated = at::empty({gate_up.size(0), width}, gate_up.options());
  if (is_half) {
    gate_rows<std::uint16_t>(gate_up, gated);
  } else {
    gate_rows<float>(gate_up, gated);
  }
  return gated;
}

}  // namespace labelprobe::model
