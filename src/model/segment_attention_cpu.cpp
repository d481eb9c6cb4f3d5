#include "segment_attention_cpu.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include "labelprobe/core/error.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace labelprobe::model {

#if defined(__x86_64__)
namespace {

#define LABELPROBE_AVX512 __attribute__((target("avx512f")))

constexpr std::int64_t kLanes = 16;
constexpr std::int64_t kBlock = 64;     // keys, and columns of values, at a time
constexpr std::int64_t kQueryTile = 6;  // with kBlock columns, their sums fill the registers
constexpr std::int64_t kRowsPerTask = 32;

// sums [R, 16 V] (set, or added to) = a [R, n] times b [n, 16 V].
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

// exp(x) of x <= 0, by the same series as kernels.cpp has for any processor.
LABELPROBE_AVX512 __m512 exp_of_negative(__m512 x) {
  const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), 0);
  __m512 rest = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
  rest = _mm512_fmadd_ps(n, _mm512_set1_ps(2.12194440e-4f), rest);
  __m512 series = _mm512_set1_ps(1.9875691500e-4f);
  for (const float c :
       {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f}) {
    series = _mm512_fmadd_ps(series, rest, _mm512_set1_ps(c));
  }
  series = _mm512_fmadd_ps(_mm512_mul_ps(series, rest), rest, rest);
  return _mm512_scalef_ps(_mm512_add_ps(series, _mm512_set1_ps(1.0f)), n);
}

// 16 rows of 16 floats, turned: columns become rows of `to`.
LABELPROBE_AVX512 void transpose_tile(const float* from,
                                      std::int64_t from_stride,
                                      std::int64_t n_rows,
                                      float* to,
                                      std::int64_t to_stride) {
  __m512 rows[kLanes];
#pragma GCC unroll 16
  for (std::int64_t i = 0; i < kLanes; ++i) {
    rows[i] = i < n_rows ? _mm512_loadu_ps(from + i * from_stride) : _mm512_setzero_ps();
  }
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  // Exchanges bit by bit of row and column number; index 16 and up means the second operand.
#pragma GCC unroll 4
  for (int bit = 1; bit < kLanes; bit *= 2) {
    const __mmask16 is_set = _mm512_test_epi32_mask(lanes, _mm512_set1_epi32(bit));
    const __m512i low = _mm512_mask_add_epi32(lanes, is_set, lanes,
                                              _mm512_set1_epi32(static_cast<int>(kLanes) - bit));
    const __m512i high = _mm512_mask_add_epi32(_mm512_add_epi32(lanes, _mm512_set1_epi32(bit)),
                                               is_set, lanes, _mm512_set1_epi32(kLanes));
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) {
      if (i & bit) continue;
      const __m512 a = rows[i];
      const __m512 b = rows[i + bit];
      rows[i] = _mm512_permutex2var_ps(a, low, b);
      rows[i + bit] = _mm512_permutex2var_ps(a, high, b);
    }
  }
#pragma GCC unroll 16
  for (std::int64_t i = 0; i < kLanes; ++i) _mm512_storeu_ps(to + i * to_stride, rows[i]);
}

// Softmax-weighted values of some queries, while keys are still being added.
struct Running {
  std::vector<float> queries;  // [n, D], scaled
  std::vector<float> sums;     // [n, D], of values times exp(score - largest)
  std::vector<float> largest;  // [n]
  std::vector<float> totals;   // [n], of exp(score - largest)
  std::vector<float> turned;   // [D, kBlock], keys
  float weights[kQueryTile * kBlock];
};

// Turns one query's scores [kBlock], `n_seen` of them seen, into weights; older sums are scaled to
// match.
LABELPROBE_AVX512 void weigh_scores(
    float* scores, std::int64_t n_seen, Running& running, std::int64_t query, std::int64_t n_dims) {
  const __m512 nothing = _mm512_set1_ps(-std::numeric_limits<float>::infinity());
  __m512 seen[kBlock / kLanes];
  __mmask16 masks[kBlock / kLanes];
  __m512 most = nothing;
  for (int v = 0; v < kBlock / kLanes; ++v) {
    const std::int64_t n = std::clamp<std::int64_t>(n_seen - v * kLanes, 0, kLanes);
    masks[v] = static_cast<__mmask16>((1U << n) - 1);
    seen[v] = _mm512_mask_loadu_ps(nothing, masks[v], scores + v * kLanes);
    most = _mm512_max_ps(most, seen[v]);
  }
  const float old_largest = running.largest[query];
  const float largest = std::max(old_largest, _mm512_reduce_max_ps(most));
  __m512 total = _mm512_setzero_ps();
  for (int v = 0; v < kBlock / kLanes; ++v) {
    const __m512 weight = _mm512_maskz_mov_ps(
        masks[v], exp_of_negative(_mm512_sub_ps(seen[v], _mm512_set1_ps(largest))));
    _mm512_storeu_ps(scores + v * kLanes, weight);
    total = _mm512_add_ps(total, weight);
  }
  if (largest > old_largest) {
    const float share = std::exp(old_largest - largest);
    running.largest[query] = largest;
    running.totals[query] *= share;
    float* sums = running.sums.data() + query * n_dims;
    for (std::int64_t d = 0; d < n_dims; d += kLanes) {
      _mm512_storeu_ps(sums + d, _mm512_mul_ps(_mm512_loadu_ps(sums + d), _mm512_set1_ps(share)));
    }
  }
  running.totals[query] += _mm512_reduce_add_ps(total);
}

// A block of keys, turned in running.turned, for R queries from `query` on; n_seen of each.
template <int R>
LABELPROBE_AVX512 void attend_tile(Running& running,
                                   std::int64_t query,
                                   const std::int64_t* n_seen,
                                   const float* values,
                                   std::int64_t value_stride,
                                   std::int64_t n_keys,
                                   std::int64_t n_dims) {
  const float* queries = running.queries.data() + query * n_dims;
  float* weights = running.weights;
  const float* keys = running.turned.data();
  if (n_keys <= kLanes) {
    multiply<R, 1>(queries, n_dims, keys, kBlock, n_dims, weights, kBlock, false);
  } else if (n_keys <= 2 * kLanes) {
    multiply<R, 2>(queries, n_dims, keys, kBlock, n_dims, weights, kBlock, false);
  } else {
    multiply<R, 4>(queries, n_dims, keys, kBlock, n_dims, weights, kBlock, false);
  }
  for (int r = 0; r < R; ++r) {
    weigh_scores(weights + r * kBlock, n_seen[r], running, query + r, n_dims);
  }
  float* sums = running.sums.data() + query * n_dims;
  for (std::int64_t d = 0; d < n_dims; d += kBlock) {
    multiply<R, 4>(weights, kBlock, values + d, value_stride, n_keys, sums + d, n_dims, true);
  }
}

using AttendTile = void (*)(Running&,
                            std::int64_t,
                            const std::int64_t*,
                            const float*,
                            std::int64_t,
                            std::int64_t,
                            std::int64_t);
constexpr AttendTile kAttendTile[kQueryTile] = {attend_tile<1>, attend_tile<2>, attend_tile<3>,
                                                attend_tile<4>, attend_tile<5>, attend_tile<6>};

// Keys and values of one key head.
struct HeadRows {
  const float* keys = nullptr;
  const float* values = nullptr;
  std::int64_t stride = 0;  // from token to token
};

// Rows first to end of one key head, over the part of a segment that they see.
void add_segment(Running& running,
                 const KeySegment& segment,
                 const HeadRows& rows,
                 std::int64_t task_first,
                 std::int64_t task_end,
                 std::int64_t n_groups,
                 std::int64_t n_dims) {
  const std::int64_t first = std::max(task_first, segment.first_row);
  const std::int64_t end = std::min(task_end, segment.end_row);
  const bool is_causal = segment.mask == Mask::Causal;
  const std::int64_t n_tokens = is_causal ? end - segment.first_row : segment.n_keys;
  for (std::int64_t token = 0; token < n_tokens; token += kBlock) {
    const std::int64_t n_keys = std::min(kBlock, n_tokens - token);
    const std::int64_t offset = (segment.first_key + token) * rows.stride;
    for (std::int64_t k = 0; k < n_keys; k += kLanes) {
      for (std::int64_t d = 0; d < n_dims; d += kLanes) {
        transpose_tile(rows.keys + offset + k * rows.stride + d, rows.stride, n_keys - k,
                       running.turned.data() + d * kBlock + k, kBlock);
      }
    }
    const std::int64_t first_seeing =
        is_causal ? std::max(first, segment.first_row + token) : first;
    const std::int64_t end_query = (end - task_first) * n_groups;
    for (std::int64_t query = (first_seeing - task_first) * n_groups; query < end_query;
         query += kQueryTile) {
      const std::int64_t n_queries = std::min(kQueryTile, end_query - query);
      std::int64_t n_seen[kQueryTile];
      for (std::int64_t r = 0; r < n_queries; ++r) {
        const std::int64_t row = task_first + (query + r) / n_groups;
        n_seen[r] = is_causal ? std::min(n_keys, row - segment.first_row - token + 1) : n_keys;
      }
      kAttendTile[n_queries - 1](running, query, n_seen, rows.values + offset, rows.stride, n_keys,
                                 n_dims);
    }
  }
}

}  // namespace

bool CpuSegmentPlan::can_attend(const at::Tensor& queries) {
  static const bool has_avx512 = __builtin_cpu_supports("avx512f");
  return has_avx512 && queries.is_cpu() && queries.scalar_type() == at::kFloat &&
         queries.size(3) % kBlock == 0 && queries.stride(3) == 1;
}

void CpuSegmentPlan::plan(std::int64_t n_rows, std::span<const KeySegment> segments) {
  by_span_.resize((n_rows + kRowsPerTask - 1) / kRowsPerTask);
  for (auto& span : by_span_) span.clear();
  for (std::size_t s = 0; s < segments.size(); ++s) {
    const std::int64_t end = (segments[s].end_row + kRowsPerTask - 1) / kRowsPerTask;
    for (std::int64_t i = segments[s].first_row / kRowsPerTask; i < end; ++i) {
      by_span_[i].push_back(static_cast<std::int32_t>(s));
    }
  }
}

at::Tensor CpuSegmentPlan::attend(const at::Tensor& queries,
                                  const at::Tensor& keys,
                                  const at::Tensor& values,
                                  std::span<const KeySegment> segments) const {
  LABELPROBE_CHECK(keys.strides() == values.strides() && keys.stride(2) == 1);
  const std::int64_t n_rows = queries.size(0);
  const std::int64_t n_heads = queries.size(1);
  const std::int64_t n_groups = queries.size(2);
  const std::int64_t n_dims = queries.size(3);
  const float scale = 1.0f / std::sqrt(static_cast<float>(n_dims));
  const auto n_spans = static_cast<std::int64_t>(by_span_.size());
  at::Tensor result = at::empty({n_rows, n_heads * n_groups * n_dims}, queries.options());
  const float* from = queries.const_data_ptr<float>();
  float* to = result.mutable_data_ptr<float>();
  at::parallel_for(0, n_spans * n_heads, 1, [&](std::int64_t begin, std::int64_t end) {
    Running running;
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t head = task % n_heads;
      const std::int64_t first_row = task / n_heads * kRowsPerTask;
      const std::int64_t end_row = std::min(n_rows, first_row + kRowsPerTask);
      const std::int64_t n_queries = (end_row - first_row) * n_groups;
      running.queries.resize(n_queries * n_dims);
      running.turned.resize(n_dims * kBlock);
      running.sums.assign(n_queries * n_dims, 0.0f);
      running.totals.assign(n_queries, 0.0f);
      running.largest.assign(n_queries, -std::numeric_limits<float>::infinity());
      for (std::int64_t q = 0; q < n_queries; ++q) {
        const float* query = from + (first_row + q / n_groups) * queries.stride(0) +
                             head * queries.stride(1) + q % n_groups * queries.stride(2);
        for (std::int64_t d = 0; d < n_dims; ++d) {
          running.queries[q * n_dims + d] = query[d] * scale;
        }
      }
      const HeadRows rows = {keys.const_data_ptr<float>() + head * keys.stride(1),
                             values.const_data_ptr<float>() + head * values.stride(1),
                             keys.stride(0)};
      for (const std::int32_t s : by_span_[task / n_heads]) {
        add_segment(running, segments[s], rows, first_row, end_row, n_groups, n_dims);
      }
      for (std::int64_t q = 0; q < n_queries; ++q) {
        const std::int64_t row = first_row + q / n_groups;
        float* out = to + ((row * n_heads + head) * n_groups + q % n_groups) * n_dims;
        const float share = 1.0f / running.totals[q];
        for (std::int64_t d = 0; d < n_dims; ++d) out[d] = running.sums[q * n_dims + d] * share;
      }
    }
  });
  return result;
}

#else

bool CpuSegmentPlan::can_attend(const at::Tensor&) {
  return false;
}

void CpuSegmentPlan::plan(std::int64_t, std::span<const KeySegment>) {}

at::Tensor CpuSegmentPlan::attend(const at::Tensor&,
                                  const at::Tensor&,
                                  const at::Tensor&,
                                  std::span<const KeySegment>) const {
  throw InternalError("attention by segments is not written out for this processor");
}

#endif

}  // namespace labelprobe::model
