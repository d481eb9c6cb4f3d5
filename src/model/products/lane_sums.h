// Sums of the lanes of AVX-512 registers, in one order: halves on halves, down to one.
#pragma once

#include "weights/device/processor.h"

#ifdef LABELPROBE_AVX512

#include <immintrin.h>

namespace labelprobe::model {

// The sums of each of four registers.
LABELPROBE_AVX512 inline __m128 sums_of_lanes(__m512 a, __m512 b, __m512 c, __m512 d) {
  // 8 of a and 8 of b; the same of c and d.
  const __m512 ab =
      _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE));
  const __m512 cd =
      _mm512_add_ps(_mm512_shuffle_f32x4(c, d, 0x44), _mm512_shuffle_f32x4(c, d, 0xEE));
  // 4 of each.
  const __m512 all =
      _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xDD));
  const __m512 twos = _mm512_add_ps(all, _mm512_shuffle_ps(all, all, 0x4E));
  const __m512 ones = _mm512_add_ps(twos, _mm512_shuffle_ps(twos, twos, 0xB1));
  const __m512i first = _mm512_setr_epi32(0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
  return _mm512_castps512_ps128(_mm512_permutexvar_ps(first, ones));
}

LABELPROBE_AVX512 inline float sum_of_lanes(__m512 a) {
  return _mm_cvtss_f32(sums_of_lanes(a, a, a, a));
}

}  // namespace labelprobe::model

#endif
