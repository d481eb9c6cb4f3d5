// How AVX-512 reads 4-bit codes: shared by what dequantises them and what multiplies with them.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)

#include <cstdint>

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>
#include <immintrin.h>

#include "weights/device/processor.h"

namespace labelprobe::weights {

// The 64 codes of a block as bytes: elements 0 to 15 and 32 to 47, 16 to 31 and 48 to 63.
struct CodesOfBlock {
  __m256i even_quarters;
  __m256i odd_quarters;
};

LABELPROBE_AVX512 inline CodesOfBlock unpack(const std::uint8_t* packed) {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(packed));
  const __m256i nibble = _mm256_set1_epi8(0xF);
  const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble);
  const __m256i low = _mm256_and_si256(bytes, nibble);
  return {_mm256_unpacklo_epi8(high, low), _mm256_unpackhi_epi8(high, low)};
}

// Sixteen of the codes, as indices of 32 bits.
LABELPROBE_AVX512 inline __m512i quarter_of(const CodesOfBlock& codes, int quarter) {
  const __m256i pair = quarter % 2 == 0 ? codes.even_quarters : codes.odd_quarters;
  return _mm512_cvtepu8_epi32(quarter < 2 ? _mm256_castsi256_si128(pair)
                                          : _mm256_extracti128_si256(pair, 1));
}

// Thirty-two of the codes, as indices of 16 bits.
LABELPROBE_AVX512 inline __m512i half_of(const CodesOfBlock& codes, int half) {
  return _mm512_cvtepu8_epi16(
      _mm256_permute2x128_si256(codes.even_quarters, codes.odd_quarters, half == 0 ? 0x20 : 0x31));
}

LABELPROBE_AVX512 inline __m256i rounded(__m512 x, c10::BFloat16 /*type*/) {
  const __m512i bits = _mm512_castps_si512(x);
  const __m512i is_odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i half = _mm512_add_epi32(is_odd, _mm512_set1_epi32(0x7FFF));
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_add_epi32(bits, half), 16));
}

LABELPROBE_AVX512 inline __m256i rounded(__m512 x, c10::Half /*type*/) {
  return _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

}  // namespace labelprobe::weights

#endif
