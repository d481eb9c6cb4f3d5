#include "weights/quantized/four_bits.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "weights/device/processor.h"
#include "weights/quantized/four_bits_avx512.h"

namespace labelprobe::weights {
namespace {

// The smallest absmax that is divided by; smaller ones (a block of zeros) leave shares near zero.
constexpr float kSmallestAbsmax = 1e-38F;

constexpr std::int32_t kInfinityBits = 0x7F800000;

// Halfway between neighbouring values, in float32 as the reference computes it.
constexpr std::array<float, 15> bounds_between(const std::array<float, 16>& values,
                                               const std::array<std::uint8_t, 16>& code_by_rank) {
  std::array<float, 15> bounds{};
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    bounds[i] = (values[code_by_rank[i]] + values[code_by_rank[i + 1]]) / 2.0F;
  }
  return bounds;
}

constexpr FourBitCode make_code(const std::array<float, 16>& values,
                                const std::array<std::uint8_t, 16>& code_by_rank) {
  return {values, bounds_between(values, code_by_rank), code_by_rank};
}

// A sign bit and a magnitude of three bits. Both 0 and 8 mean zero: what is a little above zero
// becomes 8, zero itself and what is a little below 0.
constexpr FourBitCode kFp4 =
    make_code({0.0F, 0.0625F / 12.0F, 8.0F / 12.0F, 1.0F, 4.0F / 12.0F, 6.0F / 12.0F, 2.0F / 12.0F,
               3.0F / 12.0F, 0.0F, -0.0625F / 12.0F, -8.0F / 12.0F, -1.0F, -4.0F / 12.0F,
               -6.0F / 12.0F, -2.0F / 12.0F, -3.0F / 12.0F},
              {11, 10, 13, 12, 15, 14, 9, 0, 8, 1, 6, 7, 4, 5, 2, 3});

// The quantiles of a normal distribution, of QLoRA (arXiv 2305.14314).
constexpr FourBitCode kNf4 = make_code(
    {-1.0F, -0.6961928009986877F, -0.5250730514526367F, -0.39491748809814453F,
     -0.28444138169288635F, -0.18477343022823334F, -0.09105003625154495F, 0.0F,
     0.07958029955625534F, 0.16093020141124725F, 0.24611230194568634F, 0.33791524171829224F,
     0.44070982933044434F, 0.5626170039176941F, 0.7229568362236023F, 1.0F},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});

// The ranks of the shares of a block; a share that is no number ranks last, as a binary search
// finds it. `n` is the block's size but at the end of a matrix, where the reference divides instead
// of multiplying by the reciprocal.
LABELPROBE_FOR_EACH_PROCESSOR
void rank_shares(
    const float* bounds, const float* x, std::int64_t n, float* absmax, std::int32_t* ranks) {
  // As bit patterns, so that a NaN is larger than all numbers.
  std::int32_t largest = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    largest = std::max(largest, std::bit_cast<std::int32_t>(x[i]) & 0x7FFFFFFF);
  }
  // One NaN for all: not every NaN stays one where its lower half is rounded away.
  const float found = largest > kInfinityBits ? std::numeric_limits<float>::quiet_NaN()
                                              : std::bit_cast<float>(largest);
  const float divisor = found < kSmallestAbsmax ? kSmallestAbsmax : found;
  const bool is_whole = n == kFourBitBlock;
  *absmax = is_whole ? found : divisor;
  float shares[kFourBitBlock];
  if (is_whole) {
    const float reciprocal = 1.0F / divisor;
    for (std::int64_t i = 0; i < kFourBitBlock; ++i) shares[i] = x[i] * reciprocal;
  } else {
    for (std::int64_t i = 0; i < n; ++i) shares[i] = x[i] / divisor;
    for (std::int64_t i = n; i < kFourBitBlock; ++i) shares[i] = 0;
  }
  // No share needs clamping to [-1, 1]: beyond the outermost bounds all rank alike.
  for (std::int64_t i = 0; i < kFourBitBlock; ++i) {
    std::int32_t rank = 0;
    for (int bound = 0; bound < 15; ++bound) rank += bounds[bound] >= shares[i] ? 0 : 1;
    ranks[i] = rank;
  }
}

}  // namespace

const FourBitCode& four_bit_code(Quantization quantization) {
  return quantization == Quantization::Fp4 ? kFp4 : kNf4;
}

void quantize_block(
    const FourBitCode& code, const float* x, std::int64_t n, float* absmax, std::uint8_t* packed) {
  std::int32_t ranks[kFourBitBlock];
  rank_shares(code.bounds.data(), x, n, absmax, ranks);
  for (std::int64_t i = 0; i < n; i += 2) {
    const unsigned high = code.code_by_rank[static_cast<std::size_t>(ranks[i])];
    const unsigned low = code.code_by_rank[static_cast<std::size_t>(ranks[i + 1])];
    packed[i / 2] = static_cast<std::uint8_t>(high << 4 | low);
  }
}

namespace {

template <typename Real>
void dequantize_plainly(const FourBitCode& code,
                        const std::uint8_t* packed,
                        const float* absmax,
                        std::int64_t n_blocks,
                        Real* result) {
  for (std::int64_t block = 0; block < n_blocks; ++block) {
    Real scaled[16];
    for (std::size_t i = 0; i < 16; ++i)
      scaled[i] = static_cast<Real>(code.values[i] * absmax[block]);
    for (std::int64_t i = 0; i < kFourBitBlock / 2; ++i) {
      *result++ = scaled[*packed >> 4];
      *result++ = scaled[*packed++ & 0xF];
    }
  }
}

#ifdef LABELPROBE_AVX512

LABELPROBE_AVX512 inline void expand(const CodesOfBlock& codes, __m512 scaled, float* result) {
  for (int quarter = 0; quarter < 4; ++quarter) {
    _mm512_storeu_ps(result + 16 * quarter,
                     _mm512_permutexvar_ps(quarter_of(codes, quarter), scaled));
  }
}

template <typename Real16>
LABELPROBE_AVX512 inline void expand(const CodesOfBlock& codes, __m512 scaled, Real16* result) {
  const __m512i table = _mm512_castsi256_si512(rounded(scaled, Real16{}));
  const __m256i first = _mm256_permute2x128_si256(codes.even_quarters, codes.odd_quarters, 0x20);
  const __m256i second = _mm256_permute2x128_si256(codes.even_quarters, codes.odd_quarters, 0x31);
  _mm512_storeu_si512(result, _mm512_permutexvar_epi16(_mm512_cvtepu8_epi16(first), table));
  _mm512_storeu_si512(result + 32, _mm512_permutexvar_epi16(_mm512_cvtepu8_epi16(second), table));
}

template <typename Real>
LABELPROBE_AVX512 void dequantize_with_avx512(const FourBitCode& code,
                                              const std::uint8_t* packed,
                                              const float* absmax,
                                              std::int64_t n_blocks,
                                              Real* result) {
  const __m512 values = _mm512_loadu_ps(code.values.data());
  for (std::int64_t block = 0; block < n_blocks; ++block) {
    const __m512 scaled = _mm512_mul_ps(values, _mm512_set1_ps(absmax[block]));
    expand(unpack(packed + block * (kFourBitBlock / 2)), scaled, result + block * kFourBitBlock);
  }
}

#endif

}  // namespace

template <typename Real>
void dequantize_blocks(const FourBitCode& code,
                       const std::uint8_t* packed,
                       const float* absmax,
                       std::int64_t n_blocks,
                       Real* result) {
#ifdef LABELPROBE_AVX512
  if (has_avx512()) return dequantize_with_avx512(code, packed, absmax, n_blocks, result);
#endif
  dequantize_plainly(code, packed, absmax, n_blocks, result);
}

template <typename Real>
void dequantize_part(const FourBitCode& code,
                     const std::uint8_t* packed,
                     float absmax,
                     std::int64_t first,
                     std::int64_t n,
                     Real* result) {
  for (std::int64_t i = first; i < first + n; ++i) {
    const std::size_t index = i % 2 == 0 ? packed[i / 2] >> 4 : packed[i / 2] & 0xF;
    *result++ = static_cast<Real>(code.values[index] * absmax);
  }
}

#define LABELPROBE_DEQUANTIZE_TO(Real)                                                        \
  template void dequantize_blocks(const FourBitCode&, const std::uint8_t*, const float*,      \
                                  std::int64_t, Real*);                                       \
  template void dequantize_part(const FourBitCode&, const std::uint8_t*, float, std::int64_t, \
                                std::int64_t, Real*);

LABELPROBE_DEQUANTIZE_TO(float)
LABELPROBE_DEQUANTIZE_TO(c10::BFloat16)
LABELPROBE_DEQUANTIZE_TO(c10::Half)

}  // namespace labelprobe::weights
