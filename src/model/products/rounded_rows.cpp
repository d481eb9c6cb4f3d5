#include "model/products/rounded_rows.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/record_function.h>

#include "labelprobe/core/error.h"

#include "weights/device/processor.h"

#ifdef LABELPROBE_AVX512
#include <immintrin.h>
#endif

namespace labelprobe::model {
namespace {

constexpr std::int64_t kRun = RoundedRows::kRun;
constexpr std::int64_t kHalf = kRun / 2;
constexpr std::int64_t kTileRows = RoundedRows::kTileRows;
constexpr std::int64_t kDigits = RoundedRows::kDigits;
constexpr std::int64_t kSums = RoundedRows::kSums;
constexpr float kTiny = 1e-30F;
constexpr int kDigitBits = 8;
// Numbers are raised by so much, so that digits have no signs. The largest one stays in its range
// even if it is rounded up.
constexpr std::int32_t kRaised = 1 << 23;
constexpr float kLargest = 8388600.0F;

// Where a run of a row goes.
struct RoundedRun {
  std::uint8_t* digits;  // [kDigits, kRun]
  float* scale;
  float* sums;  // kSums of them, kTileRows apart

  // The row's run behind so many others.
  RoundedRun run(std::int64_t i) const {
    const std::int64_t place = i * kTileRows;
    return {digits + place * kDigits * kRun, scale + place, sums + place * kSums};
  }
};

bool is_finite(std::uint32_t bits) {
  return bits < 0x7F800000U;
}

// What numbers are multiplied by to be whole, and whole ones to be themselves again.
struct RunScales {
  float to_whole;
  float of_whole;
};

// By the bits of a run's largest number, without its sign: they are in the order of the numbers.
RunScales scales_of(std::uint32_t largest_bits) {
  const float largest = std::bit_cast<float>(largest_bits);
  if (!is_finite(largest_bits)) return {0.0F, std::numeric_limits<float>::quiet_NaN()};
  return {largest >= kTiny ? kLargest / largest : 0.0F, largest / kLargest};
}

void round_run(const float* x, const RoundedRun& to) {
  std::uint32_t largest_bits = 0;
  for (std::int64_t i = 0; i < kRun; ++i) {
    largest_bits = std::max(largest_bits, std::bit_cast<std::uint32_t>(x[i]) & 0x7FFFFFFFU);
  }
  const auto [factor, scale] = scales_of(largest_bits);
  *to.scale = scale;
  std::int32_t numbers[kRun];
  for (std::int64_t i = 0; i < kRun; ++i) {
    const float scaled = is_finite(largest_bits) ? x[i] * factor : 0.0F;
    numbers[i] = static_cast<std::int32_t>(scaled + (scaled < 0.0F ? -0.5F : 0.5F));
  }
  float* sum = to.sums;
  for (std::int64_t half = 0; half < 2; ++half) {
    std::int32_t whole = 0;
    for (std::int64_t i = 0; i < kHalf; ++i) whole += numbers[half * kHalf + i];
    sum[half * kTileRows] = scale * static_cast<float>(whole);
  }
  sum[2 * kTileRows] = sum[0] + sum[kTileRows];
  for (std::int64_t i = 0; i < kRun; ++i) {
    const auto raised = static_cast<std::uint32_t>(numbers[i] + kRaised);
    to.digits[i] = static_cast<std::uint8_t>(raised >> (2 * kDigitBits));
    to.digits[kRun + i] = static_cast<std::uint8_t>(raised >> kDigitBits);
    to.digits[2 * kRun + i] = static_cast<std::uint8_t>(raised);
  }
}

#ifdef LABELPROBE_AVX512

// The same by registers, with the same bits.
LABELPROBE_AVX512 inline void round_run_by_registers(const float* x, const RoundedRun& to) {
  __m512 halves[2] = {_mm512_loadu_ps(x), _mm512_loadu_ps(x + kHalf)};
  const __m512i sizes = _mm512_set1_epi32(0x7FFFFFFF);
  const auto largest_bits = static_cast<std::uint32_t>(_mm512_reduce_max_epi32(
      _mm512_max_epi32(_mm512_and_si512(_mm512_castps_si512(halves[0]), sizes),
                       _mm512_and_si512(_mm512_castps_si512(halves[1]), sizes))));
  const auto [factor, scale] = scales_of(largest_bits);
  *to.scale = scale;
  float* sum = to.sums;
  for (std::int64_t half = 0; half < 2; ++half) {
    const __m512 scaled = is_finite(largest_bits)
                              ? _mm512_mul_ps(halves[half], _mm512_set1_ps(factor))
                              : _mm512_setzero_ps();
    const __mmask16 is_negative = _mm512_cmp_ps_mask(scaled, _mm512_setzero_ps(), _CMP_LT_OQ);
    const __m512 rounder =
        _mm512_mask_mov_ps(_mm512_set1_ps(0.5F), is_negative, _mm512_set1_ps(-0.5F));
    const __m512i numbers = _mm512_cvttps_epi32(_mm512_add_ps(scaled, rounder));
    sum[half * kTileRows] = scale * static_cast<float>(_mm512_reduce_add_epi32(numbers));
    const __m512i raised = _mm512_add_epi32(numbers, _mm512_set1_epi32(kRaised));
    auto* digits = reinterpret_cast<__m128i*>(to.digits + half * kHalf);
    _mm_storeu_si128(digits, _mm512_cvtepi32_epi8(_mm512_srli_epi32(raised, 2 * kDigitBits)));
    _mm_storeu_si128(digits + 2, _mm512_cvtepi32_epi8(_mm512_srli_epi32(raised, kDigitBits)));
    _mm_storeu_si128(digits + 4, _mm512_cvtepi32_epi8(raised));
  }
  sum[2 * kTileRows] = sum[0] + sum[kTileRows];
}

LABELPROBE_AVX512 void round_row_by_registers(const float* x,
                                              std::int64_t n_runs,
                                              const RoundedRun& first) {
  for (std::int64_t i = 0; i < n_runs; ++i) round_run_by_registers(x + i * kRun, first.run(i));
}

#endif

void round_row(const float* x, std::int64_t n_runs, const RoundedRun& first) {
#ifdef LABELPROBE_AVX512
  if (weights::has_avx512()) return round_row_by_registers(x, n_runs, first);
#endif
  for (std::int64_t i = 0; i < n_runs; ++i) round_run(x + i * kRun, first.run(i));
}

}  // namespace

RoundedRows::RoundedRows(const at::Tensor& x) : n_rows(x.size(0)), width(x.size(1)) {
  RECORD_FUNCTION("labelprobe::round_rows", {});
  LABELPROBE_CHECK(width % kRun == 0);
  const at::Tensor wide = x.to(at::kFloat).contiguous();
  const float* from = wide.const_data_ptr<float>();
  const std::int64_t n_runs = width / kRun;
  const std::int64_t n_tiles = (n_rows + kTileRows - 1) / kTileRows;
  const std::int64_t n = n_tiles * kTileRows * n_runs;
  digits = at::empty({n * kDigits * kRun}, x.options().dtype(at::kByte));
  scales = at::empty({n}, x.options().dtype(at::kFloat));
  sums = at::empty({n * kSums}, x.options().dtype(at::kFloat));
  const RoundedRun begin = {digits.mutable_data_ptr<std::uint8_t>(),
                            scales.mutable_data_ptr<float>(), sums.mutable_data_ptr<float>()};
  at::parallel_for(0, n_tiles, 2, [&](std::int64_t first, std::int64_t end) {
    for (std::int64_t row = first * kTileRows; row < std::min(end * kTileRows, n_rows); ++row) {
      const std::int64_t place = row / kTileRows * kTileRows * n_runs + row % kTileRows;
      round_row(from + row * width, n_runs,
                {begin.digits + place * kDigits * kRun, begin.scale + place,
                 begin.sums + kSums * (place - row % kTileRows) + row % kTileRows});
    }
  });
}

}  // namespace labelprobe::model
