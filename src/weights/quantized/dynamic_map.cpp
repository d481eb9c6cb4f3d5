#include "weights/quantized/dynamic_map.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>

namespace labelprobe::weights {
namespace {

constexpr int kSteps = 65536;

// A power of ten and a fraction: the smaller the power, the fewer the fractions.
at::Tensor make_dynamic_map() {
  constexpr int kPowers = 7;
  std::vector<at::Tensor> parts = {at::zeros({1}), at::ones({1})};
  for (int power = 0; power < kPowers; ++power) {
    const at::Tensor fractions = at::linspace(0.1, 1.0, (1 << power) + 1, at::kFloat);
    const at::Tensor means = (fractions.slice(0, 0, -1) + fractions.slice(0, 1)) / 2.0;
    const at::Tensor magnitudes = std::pow(10.0, power - (kPowers - 1)) * means;
    parts.push_back(magnitudes);
    parts.push_back(-magnitudes);
  }
  return std::get<0>(at::cat(parts).sort());
}

using Lookup = std::array<std::uint8_t, kSteps>;

Lookup make_lookup(const float* map) {
  Lookup lookup{};
  int code = 0;
  for (int step = 0; step < kSteps; ++step) {
    const float share = 2.0F * static_cast<float>(step) / (kSteps - 1) - 1.0F;
    while (code < 255 && 0.5F * (map[code] + map[code + 1]) < share) ++code;
    lookup[static_cast<std::size_t>(step)] = static_cast<std::uint8_t>(code);
  }
  return lookup;
}

float absmax_of(const float* x, std::int64_t n) {
  float absmax = 0;
  for (std::int64_t i = 0; i < n; ++i) absmax = std::max(absmax, std::abs(x[i]));
  return absmax;
}

}  // namespace

const at::Tensor& dynamic_map() {
  static const at::Tensor map = make_dynamic_map();
  return map;
}

DynamicCodes quantize_with_dynamic_map(const at::Tensor& x) {
  static const Lookup lookup = make_lookup(dynamic_map().const_data_ptr<float>());
  const std::int64_t n = x.numel();
  const std::int64_t n_blocks = (n + kDynamicBlock - 1) / kDynamicBlock;
  DynamicCodes result{at::zeros({n}, at::kByte), at::empty({n_blocks}, at::kFloat)};
  const at::Tensor packed = x.contiguous();
  const float* values = packed.const_data_ptr<float>();
  auto* codes = result.codes.mutable_data_ptr<std::uint8_t>();
  auto* absmax = result.absmax.mutable_data_ptr<float>();
  for (std::int64_t block = 0; block < n_blocks; ++block) {
    const std::int64_t begin = block * kDynamicBlock;
    const std::int64_t end = std::min(n, begin + kDynamicBlock);
    absmax[block] = absmax_of(values + begin, end - begin);
    if (absmax[block] == 0) continue;  // code 0, which times nothing is nothing
    const float reciprocal = 1.0F / absmax[block];
    for (std::int64_t i = begin; i < end; ++i) {
      const float share = std::clamp(values[i] * reciprocal, -1.0F, 1.0F);
      // The reference fuses this multiplication and addition.
      const float step = std::fma((share + 1.0F) * 0.5F, kSteps - 1.0F, 0.5F);
      codes[i] = lookup[std::isnan(step) ? 0U : static_cast<std::size_t>(step) % kSteps];
    }
  }
  return result;
}

at::Tensor mean_of_absmax(const at::Tensor& absmax) {
  const int n_threads = at::get_num_threads();
  at::set_num_threads(1);
  at::Tensor mean = absmax.mean();
  at::set_num_threads(n_threads);
  return mean;
}

}  // namespace labelprobe::weights
