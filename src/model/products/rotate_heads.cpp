#include "model/products/rotate_heads.h"

#include <cstdint>
#include <type_traits>

#include <ATen/Parallel.h>
#include <ATen/record_function.h>

#include "labelprobe/core/error.h"

#include "model/products/vector_code.h"
#include "weights/device/cuda_operators.h"

namespace labelprobe::model {
namespace {

// The first 2 * half numbers of heads of n_dims, one behind the other.
template <typename T>
LABELPROBE_PART inline void rotate(T* heads,
                                   std::int64_t n_heads,
                                   std::int64_t n_dims,
                                   const float* c,
                                   const float* s,
                                   std::int64_t half) {
  for (std::int64_t head = 0; head < n_heads; ++head) {
    T* a = heads + head * n_dims;
    T* b = a + half;
    if constexpr (std::is_same_v<T, float>) {
      for (std::int64_t i = 0; i < half; ++i) {
        const float left = a[i];
        const float right = b[i];
        a[i] = left * c[i] - right * s[i];
        b[i] = right * c[i] + left * s[i];
      }
      continue;
    }
    by_steps(half, [&](std::int64_t first, std::int64_t n) LABELPROBE_PART {
      float left[kStep];
      float right[kStep];
      float turned[kStep];
      convert(a + first, left, n);
      convert(b + first, right, n);
      for (std::int64_t i = 0; i < n; ++i) {
        turned[i] = left[i] * c[first + i] - right[i] * s[first + i];
      }
      convert(turned, a + first, n);
      for (std::int64_t i = 0; i < n; ++i) {
        turned[i] = right[i] * c[first + i] + left[i] * s[first + i];
      }
      convert(turned, b + first, n);
    });
  }
}

LABELPROBE_FOR_EACH_PROCESSOR
void rotate_row(float* heads,
                std::int64_t n_heads,
                std::int64_t n_dims,
                const float* c,
                const float* s,
                std::int64_t half) {
  rotate(heads, n_heads, n_dims, c, s, half);
}

LABELPROBE_FOR_EACH_PROCESSOR
void rotate_row(std::uint16_t* heads,
                std::int64_t n_heads,
                std::int64_t n_dims,
                const float* c,
                const float* s,
                std::int64_t half) {
  rotate(heads, n_heads, n_dims, c, s, half);
}

}  // namespace

void rotate_heads(at::Tensor x, const at::Tensor& cosines, const at::Tensor& sines) {
  const std::int64_t half = cosines.size(1);
  const bool is_half = is_plain(x, at::kBFloat16);
  if (x.is_cuda() && 2 * half == x.size(2) && weights::cuda_operators()) {
    weights::cuda_operators()->rotate_heads.call(x, cosines, sines, x.size(1), 0, {}, {}, {});
    return;
  }
  if (!is_plain(x, at::kFloat) && !is_half) {
    const at::Tensor c = cosines.unsqueeze(1);
    const at::Tensor s = sines.unsqueeze(1);
    const at::Tensor a = x.narrow(2, 0, half).to(at::kFloat, false, true);
    const at::Tensor b = x.narrow(2, half, half).to(at::kFloat, false, true);
    x.narrow(2, 0, half).copy_(a * c - b * s);
    x.narrow(2, half, half).copy_(b * c + a * s);
    return;
  }
  RECORD_FUNCTION("labelprobe::rotate_heads", {});
  LABELPROBE_CHECK(x.stride(1) == x.size(2));
  const std::int64_t stride = x.stride(0);
  const float* c = cosines.const_data_ptr<float>();
  const float* s = sines.const_data_ptr<float>();
  const auto rotate_rows = [&](auto* heads) {
    at::parallel_for(0, x.size(0), kRowGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        rotate_row(heads + row * stride, x.size(1), x.size(2), c + row * half, s + row * half,
                   half);
      }
    });
  };
  if (is_half) {
    rotate_rows(static_cast<std::uint16_t*>(x.mutable_data_ptr()));
  } else {
    rotate_rows(x.mutable_data_ptr<float>());
  }
}

}  // namespace labelprobe::model
