// The steps of attention that fit the registers of a processor with AVX-512: a few queries, a block
// of keys at a time. What is summed over comes in words of 32 bits: a float32, or a pair of
// bfloat16. A query's numbers do not depend on how many are attended together.
//   R  queries   V  registers of 16 columns   D  head size
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <immintrin.h>

#include "model/attention/running_attention.h"
#include "weights/device/processor.h"

namespace labelprobe::model {

// sums [R, 16 V] (set, or added to) = a [R, n] times b [n, 16 V], in float32.
template <int R, int V>
LABELPROBE_AVX512 void multiply(const float* a,
                                std::int64_t a_stride,
                                const float* b,
                                std::int64_t b_stride,
                                std::int64_t n,
                                float* sums,
                                std::int64_t sum_stride,
                                bool is_added) {
  __m512 sum[R][V];
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) {
      sum[r][v] =
          is_added ? _mm512_loadu_ps(sums + r * sum_stride + v * kLanes) : _mm512_setzero_ps();
    }
  }
  for (std::int64_t i = 0; i < n; ++i) {
    __m512 columns[V];
    for (int v = 0; v < V; ++v) columns[v] = _mm512_loadu_ps(b + i * b_stride + v * kLanes);
    for (int r = 0; r < R; ++r) {
      const __m512 factor = _mm512_set1_ps(a[r * a_stride + i]);
      for (int v = 0; v < V; ++v) sum[r][v] = _mm512_fmadd_ps(factor, columns[v], sum[r][v]);
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) _mm512_storeu_ps(sums + r * sum_stride + v * kLanes, sum[r][v]);
  }
}

// The same with pairs of bfloat16 for a and b, n of them; still summed in float32.
template <int R, int V>
LABELPROBE_AVX512_BF16 void multiply(const std::uint32_t* a,
                                     std::int64_t a_stride,
                                     const std::uint32_t* b,
                                     std::int64_t b_stride,
                                     std::int64_t n,
                                     float* sums,
                                     std::int64_t sum_stride,
                                     bool is_added) {
  __m512 sum[R][V];
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) {
      sum[r][v] =
          is_added ? _mm512_loadu_ps(sums + r * sum_stride + v * kLanes) : _mm512_setzero_ps();
    }
  }
  for (std::int64_t i = 0; i < n; ++i) {
    __m512bh columns[V];
    for (int v = 0; v < V; ++v) {
      columns[v] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(b + i * b_stride + v * kLanes));
    }
    for (int r = 0; r < R; ++r) {
      const auto factor =
          reinterpret_cast<__m512bh>(_mm512_set1_epi32(static_cast<int>(a[r * a_stride + i])));
      for (int v = 0; v < V; ++v) sum[r][v] = _mm512_dpbf16_ps(sum[r][v], factor, columns[v]);
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) _mm512_storeu_ps(sums + r * sum_stride + v * kLanes, sum[r][v]);
  }
}

// exp(x) of x <= 0, by the same series as vector_code.h has for any processor.
LABELPROBE_AVX512 inline __m512 exp_of_negative(__m512 x) {
  const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), 0);
  __m512 rest = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
  rest = _mm512_fmadd_ps(n, _mm512_set1_ps(2.12194440e-4f), rest);
  __m512 series = _mm512_set1_ps(1.9875691500e-4f);
  series = _mm512_fmadd_ps(series, rest, _mm512_set1_ps(1.3981999507e-3f));
  series = _mm512_fmadd_ps(series, rest, _mm512_set1_ps(8.3334519073e-3f));
  series = _mm512_fmadd_ps(series, rest, _mm512_set1_ps(4.1665795894e-2f));
  series = _mm512_fmadd_ps(series, rest, _mm512_set1_ps(1.6666665459e-1f));
  series = _mm512_fmadd_ps(series, rest, _mm512_set1_ps(5.0000001201e-1f));
  series = _mm512_fmadd_ps(_mm512_mul_ps(series, rest), rest, rest);
  return _mm512_scalef_ps(_mm512_add_ps(series, _mm512_set1_ps(1.0f)), n);
}

// Turns one query's products with a block of keys into weights, 0 for those that are not seen;
// older sums are scaled to match.
LABELPROBE_AVX512 inline void weigh_scores(float* scores,
                                           float scale,
                                           SeenKeys keys,
                                           RunningAttention& running,
                                           std::int64_t query,
                                           std::int64_t width) {
  if (keys.first >= keys.end) {
    std::fill(scores, scores + kBlock, 0.0f);
    return;
  }
  constexpr int kRegisters = kBlock / kLanes;
  const __m512 nothing = _mm512_set1_ps(-std::numeric_limits<float>::infinity());
  __m512 seen[kRegisters];
  const std::uint64_t seen_bits =
      (~std::uint64_t{0} >> (kBlock - keys.end)) & (~std::uint64_t{0} << keys.first);
  for (int v = 0; v < kRegisters; ++v) {
    const auto mask = static_cast<__mmask16>(seen_bits >> (v * kLanes));
    seen[v] = _mm512_mask_mul_ps(nothing, mask, _mm512_loadu_ps(scores + v * kLanes),
                                 _mm512_set1_ps(scale));
  }
  const float most = _mm512_reduce_max_ps(
      _mm512_max_ps(_mm512_max_ps(seen[0], seen[1]), _mm512_max_ps(seen[2], seen[3])));
  const float old_largest = running.largest[query];
  if (most > old_largest) {
    const float share = std::exp(old_largest - most);
    running.largest[query] = most;
    running.totals[query] *= share;
    float* sums = running.sums.data() + query * width;
    for (std::int64_t d = 0; d < width; d += kLanes) {
      _mm512_storeu_ps(sums + d, _mm512_mul_ps(_mm512_loadu_ps(sums + d), _mm512_set1_ps(share)));
    }
  }
  const __m512 largest = _mm512_set1_ps(running.largest[query]);
  __m512 total = _mm512_setzero_ps();
  for (int v = 0; v < kRegisters; ++v) {
    const auto mask = static_cast<__mmask16>(seen_bits >> (v * kLanes));
    const __m512 weight =
        _mm512_maskz_mov_ps(mask, exp_of_negative(_mm512_sub_ps(seen[v], largest)));
    _mm512_storeu_ps(scores + v * kLanes, weight);
    total = _mm512_add_ps(total, weight);
  }
  running.totals[query] += _mm512_reduce_add_ps(total);
}

// Rows of n_columns words, turned: columns become rows of `to` [., kBlock], up to a whole register
// of them; what lies behind n_rows is 0. Rows before `first`, a multiple
// of kLanes, stay.
LABELPROBE_AVX512 inline void transpose(const void* const* from,
                                        std::int64_t first,
                                        std::int64_t n_rows,
                                        std::int64_t n_columns,
                                        std::uint32_t* to) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (std::int64_t first_row = first; first_row < n_rows; first_row += kLanes) {
    for (std::int64_t column = 0; column < n_columns; column += kLanes) {
      const auto there =
          static_cast<__mmask16>(0xffffU >> (kLanes - std::min(kLanes, n_columns - column)));
      __m512i rows[kLanes];
#pragma GCC unroll 16
      for (std::int64_t i = 0; i < kLanes; ++i) {
        rows[i] = first_row + i < n_rows
                      ? _mm512_maskz_loadu_epi32(
                            there, static_cast<const std::uint32_t*>(from[first_row + i]) + column)
                      : _mm512_setzero_si512();
      }
      // Exchanges bit by bit of row and column number; index 16 and up means the second operand.
#pragma GCC unroll 4
      for (int bit = 1; bit < kLanes; bit *= 2) {
        const __mmask16 is_set = _mm512_test_epi32_mask(lanes, _mm512_set1_epi32(bit));
        const __m512i low = _mm512_mask_add_epi32(
            lanes, is_set, lanes, _mm512_set1_epi32(static_cast<int>(kLanes) - bit));
        const __m512i high = _mm512_mask_add_epi32(_mm512_add_epi32(lanes, _mm512_set1_epi32(bit)),
                                                   is_set, lanes, _mm512_set1_epi32(kLanes));
#pragma GCC unroll 16
        for (int i = 0; i < kLanes; ++i) {
          if (i & bit) continue;
          const __m512i a = rows[i];
          const __m512i b = rows[i + bit];
          rows[i] = _mm512_permutex2var_epi32(a, low, b);
          rows[i + bit] = _mm512_permutex2var_epi32(a, high, b);
        }
      }
#pragma GCC unroll 16
      for (std::int64_t i = 0; i < kLanes; ++i) {
        _mm512_storeu_si512(to + (column + i) * kBlock + first_row, rows[i]);
      }
    }
  }
}

// Two rows of bfloat16 as one row [width] of pairs, width rounded up to whole registers; a row that
// is null counts as zeros.
LABELPROBE_AVX512 inline void pair_rows(const std::uint16_t* low,
                                        const std::uint16_t* high,
                                        std::int64_t n_columns,
                                        std::uint32_t* to) {
  std::int64_t d = 0;
  for (; d + kLanes <= n_columns; d += kLanes) {
    const auto load = [d](const std::uint16_t* row) LABELPROBE_AVX512 {
      return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + d)));
    };
    __m512i pair = load(low);
    if (high) pair = _mm512_or_si512(pair, _mm512_slli_epi32(load(high), 16));
    _mm512_storeu_si512(to + d, pair);
  }
  for (; d < n_columns; ++d) to[d] = low[d] | (high ? std::uint32_t{high[d]} << 16 : 0);
  for (; d % kLanes != 0; ++d) to[d] = 0;
}

// Weights [R, kBlock] as pairs of bfloat16.
template <int R>
LABELPROBE_AVX512_BF16 void pair_weights(const float* weights, std::uint32_t* pairs) {
  for (int i = 0; i < R * kBlock; i += 2 * kLanes) {
    const __m512bh both =
        _mm512_cvtne2ps_pbh(_mm512_loadu_ps(weights + i + kLanes), _mm512_loadu_ps(weights + i));
    _mm512_storeu_si512(pairs + i / 2, reinterpret_cast<__m512i>(both));
  }
}

}  // namespace labelprobe::model
