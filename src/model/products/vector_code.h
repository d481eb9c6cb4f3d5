// What the element-wise steps of a decoder share: loops over float32 and bfloat16 (by its bits)
// that compilers turn into vector instructions of each processor (processor.h), float32 in between.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include <ATen/core/Tensor.h>

#include "weights/device/bfloat16.h"
#include "weights/device/processor.h"

namespace labelprobe::model {

// Rows given to a thread at once: enough to outweigh handing them over.
constexpr int kRowGrain = 16;

inline bool is_plain(const at::Tensor& x, at::ScalarType type) {
  return x.is_cpu() && x.scalar_type() == type && x.stride(-1) == 1;
}

LABELPROBE_PART inline void convert(const float* from, float* to, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) to[i] = from[i];
}

LABELPROBE_PART inline void convert(const std::uint16_t* from, float* to, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) to[i] = weights::from_bfloat16_bits(from[i]);
}

LABELPROBE_PART inline void convert(const float* from, std::uint16_t* to, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) to[i] = weights::to_bfloat16_bits(from[i]);
}

// Runs work(first, n) on at most kStep of n elements: what it keeps in between is small. Compilers
// do not mix the widths of bfloat16 and float32 in one loop of vectors.
constexpr std::int64_t kStep = 64;
template <typename Work>
LABELPROBE_PART inline void by_steps(std::int64_t n, const Work& work) {
  // In one place, so that it becomes part of the caller and of what that is compiled for.
  for (std::int64_t first = 0; first < n; first += kStep) work(first, std::min(kStep, n - first));
}

// exp(x) of -87 <= x <= 0 to about two units in the last place, in arithmetic that compilers turn
// into vector instructions: 2^n from the exponent's bits, the rest by its series.
LABELPROBE_PART inline float exp_of_negative(float x) {
  constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23: adding it leaves no fraction
  const float shifted = x * 1.44269504f + kRounder;
  const float n = shifted - kRounder;
  const float rest = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float series = 1.9875691500e-4f;
  series = series * rest + 1.3981999507e-3f;
  series = series * rest + 8.3334519073e-3f;
  series = series * rest + 4.1665795894e-2f;
  series = series * rest + 1.6666665459e-1f;
  series = series * rest + 5.0000001201e-1f;
  series = series * rest * rest + rest + 1.0f;
  return series * std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);
}

}  // namespace labelprobe::model
