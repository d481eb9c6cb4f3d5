#include "weights/making/normal_numbers.h"

#include <cmath>
#include <cstring>
#include <numbers>

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include "labelprobe/core/error.h"

namespace labelprobe::weights {
namespace {

constexpr int kNValues = 65536;
constexpr int kPerDraw = 4;  // 16 bits each

// The middles, as probabilities, of the intervals above zero: Newton's method from each to the
// next one cannot overshoot, for there the distribution function bends downwards.
std::vector<double> upper_quantiles() {
  std::vector<double> quantiles;
  double x = 0.0;
  for (int i = kNValues / 2; i < kNValues; ++i) {
    const double upper_tail = 1.0 - (i + 0.5) / kNValues;
    for (double step = 1.0; std::abs(step) > 1e-12;) {
      const double density = std::exp(-x * x / 2.0) / std::sqrt(2.0 * std::numbers::pi);
      step = (std::erfc(x / std::numbers::sqrt2) / 2.0 - upper_tail) / density;
      x += step;
    }
    quantiles.push_back(x);
  }
  return quantiles;
}

template <typename Number>
std::vector<std::byte> table_of(double standard_deviation) {
  std::vector<Number> numbers(kNValues);
  const std::vector<double> upper = upper_quantiles();
  for (int i = 0; i < kNValues / 2; ++i) {
    const auto number = static_cast<float>(upper[static_cast<std::size_t>(i)] * standard_deviation);
    numbers[static_cast<std::size_t>(kNValues / 2 + i)] = static_cast<Number>(number);
    numbers[static_cast<std::size_t>(kNValues / 2 - 1 - i)] = static_cast<Number>(-number);
  }
  std::vector<std::byte> bytes(numbers.size() * sizeof(Number));
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

// The finaliser of SplitMix64: well mixed for consecutive arguments, and independent of each other.
std::uint64_t mixed(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9ULL;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebULL;
  return bits ^ (bits >> 31);
}

template <std::size_t kSize>
void fill_from(const std::byte* values,
               std::uint64_t key,
               std::int64_t first,
               std::span<std::byte> out) {
  constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15ULL;
  std::uint64_t counter = key + static_cast<std::uint64_t>(first / kPerDraw) * kStep;
  const std::size_t n = out.size() / kSize;
  for (std::size_t i = 0; i < n; i += kPerDraw) {
    std::uint64_t bits = mixed(counter += kStep);
    const std::size_t end = std::min<std::size_t>(i + kPerDraw, n);
    for (std::size_t at = i; at < end; ++at, bits >>= 16) {
      std::memcpy(out.data() + at * kSize, values + (bits & 0xffff) * kSize, kSize);
    }
  }
}

}  // namespace

NormalNumbers::NormalNumbers(DType dtype, double standard_deviation)
    : element_size_(dtype == DType::Float32 ? sizeof(float) : sizeof(c10::BFloat16)),
      values_(dtype == DType::Float32    ? table_of<float>(standard_deviation)
              : dtype == DType::BFloat16 ? table_of<c10::BFloat16>(standard_deviation)
                                         : table_of<c10::Half>(standard_deviation)) {}

void NormalNumbers::fill(std::uint64_t key, std::int64_t first, std::span<std::byte> out) const {
  LABELPROBE_CHECK(first % kPerDraw == 0);
  if (element_size_ == sizeof(float)) {
    fill_from<sizeof(float)>(values_.data(), key, first, out);
  } else {
    fill_from<sizeof(c10::BFloat16)>(values_.data(), key, first, out);
  }
}

}  // namespace labelprobe::weights
