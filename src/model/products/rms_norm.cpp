#include "model/products/rms_norm.h"

#include <cmath>
#include <cstdint>
#include <type_traits>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/record_function.h>

#include "model/products/vector_code.h"
#include "weights/device/cuda_operators.h"

namespace labelprobe::model {
namespace {

// Independent partial sums, so that the compiler may use vector registers without reordering sums.
LABELPROBE_PART inline float sum_of_squares(const float* x, std::int64_t n) {
  constexpr int kLanes = 32;
  float sums[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) sums[lane] += x[i + lane] * x[i + lane];
  }
  float total = 0;
  for (; i < n; ++i) total += x[i] * x[i];
  for (const float sum : sums) total += sum;
  return total;
}

template <typename To>
LABELPROBE_PART inline void normalize(
    const float* x, const float* weight, float epsilon, std::int64_t n, To* to) {
  const float mean = sum_of_squares(x, n) / static_cast<float>(n);
  const float scale = 1.0f / std::sqrt(mean + epsilon);
  if constexpr (std::is_same_v<To, float>) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = x[i] * scale * weight[i];
    return;
  }
  by_steps(n, [&](std::int64_t first, std::int64_t n_step) LABELPROBE_PART {
    float wide[kStep];
    for (std::int64_t i = 0; i < n_step; ++i) wide[i] = x[first + i] * scale * weight[first + i];
    convert(wide, to + first, n_step);
  });
}

LABELPROBE_FOR_EACH_PROCESSOR
void norm_row(const float* x, const float* weight, float epsilon, std::int64_t n, float* to) {
  normalize(x, weight, epsilon, n, to);
}

LABELPROBE_FOR_EACH_PROCESSOR
void norm_row(
    const float* x, const float* weight, float epsilon, std::int64_t n, std::uint16_t* to) {
  normalize(x, weight, epsilon, n, to);
}

}  // namespace

at::Tensor rms_norm(const at::Tensor& x,
                    const at::Tensor& weight,
                    double epsilon,
                    std::optional<at::ScalarType> result_type) {
  const at::ScalarType type = result_type.value_or(x.scalar_type());
  const bool is_half = type == at::kBFloat16;
  if (x.is_cuda() && type == x.scalar_type() && weights::cuda_operators()) {
    return weights::cuda_operators()->rms_norm.call(x, weight, epsilon);
  }
  if (!is_plain(x, at::kFloat) || !(is_half || type == at::kFloat)) {
    const at::Tensor wide = x.to(at::kFloat);
    const at::Tensor scale = wide.square().mean(-1, true).add_(epsilon).rsqrt_();
    // Rounded before the weight is applied, as the checkpoints' own code does.
    return (wide * scale).to(type).mul(weight.to(type));
  }
  RECORD_FUNCTION("labelprobe::rms_norm", {});
  const std::int64_t n_columns = x.size(1);
  at::Tensor result = at::empty({x.size(0), n_columns}, x.options().dtype(type));
  const float* w = weight.const_data_ptr<float>();
  const float* from = x.const_data_ptr<float>();
  const std::int64_t stride = x.stride(0);
  const auto norm_rows = [&](auto* to) {
    at::parallel_for(0, x.size(0), kRowGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        norm_row(from + row * stride, w, static_cast<float>(epsilon), n_columns,
                 to + row * n_columns);
      }
    });
  };
  if (is_half) {
    norm_rows(static_cast<std::uint16_t*>(result.mutable_data_ptr()));
  } else {
    norm_rows(result.mutable_data_ptr<float>());
  }
  return result;
}

}  // namespace labelprobe::model
