#include "model/attention/segment_attention_cpu.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/record_function.h>

#include "labelprobe/core/error.h"

#if defined(__x86_64__)
#include "model/attention/attention_tile.h"
#endif

namespace labelprobe::model {

#if defined(__x86_64__)
namespace {

constexpr std::int64_t kRowsPerTask = 32;

// How one type's numbers are laid out for the products: `Number` as tensors hold it, `Word` as the
// summed dimension is packed.
struct Single {
  using Number = float;
  using Word = float;
};

struct Half {
  using Number = std::uint16_t;
  using Word = std::uint32_t;
};

template <typename Type>
constexpr std::int64_t kPerWord = sizeof(typename Type::Word) / sizeof(typename Type::Number);

// What a task needs to know of the tensors: those of its key head.
template <typename Type>
struct HeadRows {
  const typename Type::Number* keys;
  const typename Type::Number* values;
  std::int64_t stride;  // between the rows of keys, and of values
  std::int64_t n_groups;
  std::int64_t n_dims;
  std::int64_t n_words;  // of a query or key
  std::int64_t width;    // D rounded up to whole registers
  float scale;
};

// A block of keys, turned, and its values.
template <typename Type>
struct Block {
  const typename Type::Word* keys;
  const typename Type::Word* values;
  std::int64_t value_stride;
  std::int64_t n_keys;
};

// sums [R, width] += weights times the values of a block.
template <int R, typename Type>
void add_values(const typename Type::Word* weights,
                const Block<Type>& block,
                std::int64_t width,
                float* sums) {
  const std::int64_t n = (block.n_keys + kPerWord<Type> - 1) / kPerWord<Type>;
  const std::int64_t stride = kBlock / kPerWord<Type>;
  std::int64_t d = 0;
  for (; d + kBlock <= width; d += kBlock) {
    multiply<R, 4>(weights, stride, block.values + d, block.value_stride, n, sums + d, width, true);
  }
  if (d + 2 * kLanes <= width) {
    multiply<R, 2>(weights, stride, block.values + d, block.value_stride, n, sums + d, width, true);
    d += 2 * kLanes;
  }
  if (d < width) {
    multiply<R, 1>(weights, stride, block.values + d, block.value_stride, n, sums + d, width, true);
  }
}

// A block of keys for R queries from `query` on; n_seen of each.
template <int R, typename Type>
void attend_tile(RunningAttention& running,
                 std::int64_t query,
                 const std::int64_t* n_seen,
                 const Block<Type>& block,
                 const HeadRows<Type>& rows) {
  using Word = typename Type::Word;
  const std::int64_t n_words = rows.n_words;
  const auto* queries = reinterpret_cast<const Word*>(running.queries.data()) + query * n_words;
  float* scores = running.scores;
  if (block.n_keys <= kLanes) {
    multiply<R, 1>(queries, n_words, block.keys, kBlock, n_words, scores, kBlock, false);
  } else if (block.n_keys <= 2 * kLanes) {
    multiply<R, 2>(queries, n_words, block.keys, kBlock, n_words, scores, kBlock, false);
  } else {
    multiply<R, 4>(queries, n_words, block.keys, kBlock, n_words, scores, kBlock, false);
  }
  for (int r = 0; r < R; ++r) {
    weigh_scores(scores + r * kBlock, rows.scale, n_seen[r], running, query + r, rows.width);
  }
  float* sums = running.sums.data() + query * rows.width;
  if constexpr (std::is_same_v<Type, Single>) {
    add_values<R, Type>(scores, block, rows.width, sums);
  } else {
    pair_weights<R>(scores, running.weights);
    add_values<R, Type>(running.weights, block, rows.width, sums);
  }
}

template <typename Type>
using AttendTile = void (*)(RunningAttention&,
                            std::int64_t,
                            const std::int64_t*,
                            const Block<Type>&,
                            const HeadRows<Type>&);
template <typename Type>
constexpr AttendTile<Type> kAttendTile[kQueryTile] = {attend_tile<1, Type>, attend_tile<2, Type>,
                                                      attend_tile<3, Type>, attend_tile<4, Type>,
                                                      attend_tile<5, Type>, attend_tile<6, Type>};

// The block of `n_keys` keys from row `first_key` on.
template <typename Type>
Block<Type> load_block(RunningAttention& running,
                       const HeadRows<Type>& rows,
                       std::int64_t first_key,
                       std::int64_t n_keys) {
  using Word = typename Type::Word;
  const auto* keys = rows.keys + first_key * rows.stride;
  const auto* values = rows.values + first_key * rows.stride;
  transpose(reinterpret_cast<const std::uint32_t*>(keys), rows.stride / kPerWord<Type>, n_keys,
            rows.n_words, running.keys.data());
  const auto* turned = reinterpret_cast<const Word*>(running.keys.data());
  if constexpr (std::is_same_v<Type, Single>) {
    if (rows.n_dims == rows.width) return {turned, values, rows.stride, n_keys};
    for (std::int64_t i = 0; i < n_keys; ++i) {
      std::memcpy(running.values.data() + i * rows.width, values + i * rows.stride,
                  rows.n_dims * sizeof(float));
    }
  } else {
    for (std::int64_t i = 0; i < n_keys; i += 2) {
      const auto* low = values + i * rows.stride;
      pair_rows(low, i + 1 < n_keys ? low + rows.stride : nullptr, rows.n_dims,
                running.values.data() + i / 2 * rows.width);
    }
  }
  return {turned, reinterpret_cast<const Word*>(running.values.data()), rows.width, n_keys};
}

// Rows first to end of one key head, over the part of a segment that they see.
template <typename Type>
void add_segment(RunningAttention& running,
                 const KeySegment& segment,
                 const HeadRows<Type>& rows,
                 std::int64_t task_first,
                 std::int64_t task_end) {
  const std::int64_t first = std::max(task_first, segment.first_row);
  const std::int64_t end = std::min(task_end, segment.end_row);
  const bool is_causal = segment.mask == Mask::Causal;
  const std::int64_t n_tokens = is_causal ? end - segment.first_row : segment.n_keys;
  for (std::int64_t token = 0; token < n_tokens; token += kBlock) {
    const std::int64_t n_keys = std::min(kBlock, n_tokens - token);
    const Block<Type> block = load_block(running, rows, segment.first_key + token, n_keys);
    const std::int64_t first_seeing =
        is_causal ? std::max(first, segment.first_row + token) : first;
    const std::int64_t end_query = (end - task_first) * rows.n_groups;
    for (std::int64_t query = (first_seeing - task_first) * rows.n_groups; query < end_query;
         query += kQueryTile) {
      const std::int64_t n_queries = std::min(kQueryTile, end_query - query);
      std::int64_t n_seen[kQueryTile];
      for (std::int64_t r = 0; r < n_queries; ++r) {
        const std::int64_t row = task_first + (query + r) / rows.n_groups;
        n_seen[r] = is_causal ? std::min(n_keys, row - segment.first_row - token + 1) : n_keys;
      }
      kAttendTile<Type>[n_queries - 1](running, query, n_seen, block, rows);
    }
  }
}

// sums [n] times share, in the result's type.
void store(const float* sums, float share, std::int64_t n, float* to) {
  for (std::int64_t d = 0; d < n; ++d) to[d] = sums[d] * share;
}

void store(const float* sums, float share, std::int64_t n, std::uint16_t* to) {
  for (std::int64_t d = 0; d < n; ++d) to[d] = c10::BFloat16(sums[d] * share).x;
}

// All heads of rows first to end, for one key head.
template <typename Type>
class Task {
  using Number = typename Type::Number;

 public:
  Task(const at::Tensor& queries, at::Tensor& result, const HeadRows<Type>& rows, std::int64_t head)
      : rows_(rows),
        head_(head),
        n_heads_(queries.size(1)),
        row_stride_(queries.stride(0)),
        group_stride_(queries.stride(2)),
        queries_(static_cast<const Number*>(queries.const_data_ptr()) + head * queries.stride(1)),
        result_(static_cast<Number*>(result.mutable_data_ptr())) {}

  void begin(RunningAttention& running, std::int64_t first, std::int64_t end) const {
    const std::int64_t n_queries = (end - first) * rows_.n_groups;
    running.queries.resize(n_queries * rows_.n_words);
    running.keys.resize((rows_.n_words + kLanes) * kBlock);
    running.values.resize(kBlock * rows_.width);
    running.sums.assign(n_queries * rows_.width, 0.0f);
    running.totals.assign(n_queries, 0.0f);
    running.largest.assign(n_queries, -std::numeric_limits<float>::infinity());
    for (std::int64_t q = 0; q < n_queries; ++q) {
      std::memcpy(running.queries.data() + q * rows_.n_words,
                  queries_ + (first + q / rows_.n_groups) * row_stride_ +
                      q % rows_.n_groups * group_stride_,
                  rows_.n_dims * sizeof(Number));
    }
  }

  void end(const RunningAttention& running, std::int64_t first, std::int64_t end) const {
    const std::int64_t n_groups = rows_.n_groups;
    for (std::int64_t q = 0; q < (end - first) * n_groups; ++q) {
      const std::int64_t row = first + q / n_groups;
      store(running.sums.data() + q * rows_.width, 1.0f / running.totals[q], rows_.n_dims,
            result_ + ((row * n_heads_ + head_) * n_groups + q % n_groups) * rows_.n_dims);
    }
  }

 private:
  const HeadRows<Type>& rows_;
  std::int64_t head_;
  std::int64_t n_heads_;
  std::int64_t row_stride_;
  std::int64_t group_stride_;
  const Number* queries_;
  Number* result_;
};

template <typename Type>
at::Tensor attend_by_tasks(const at::Tensor& queries,
                           const at::Tensor& keys,
                           const at::Tensor& values,
                           std::span<const KeySegment> segments,
                           const std::vector<std::vector<std::int32_t>>& by_span) {
  using Number = typename Type::Number;
  const std::int64_t n_rows = queries.size(0);
  const std::int64_t n_heads = queries.size(1);
  const std::int64_t n_dims = queries.size(3);
  at::Tensor result = at::empty({n_rows, n_heads * queries.size(2) * n_dims}, queries.options());
  const std::int64_t n_tasks = static_cast<std::int64_t>(by_span.size()) * n_heads;
  // Tasks differ too much in length to be dealt out beforehand.
  std::atomic<std::int64_t> next = 0;
  at::parallel_for(0, at::get_num_threads(), 1, [&](std::int64_t, std::int64_t) {
    static thread_local RunningAttention running;
    for (std::int64_t task = next++; task < n_tasks; task = next++) {
      const std::int64_t head = task % n_heads;
      const std::int64_t first = task / n_heads * kRowsPerTask;
      const std::int64_t end = std::min(n_rows, first + kRowsPerTask);
      const HeadRows<Type> rows = {
          static_cast<const Number*>(keys.const_data_ptr()) + head * keys.stride(1),
          static_cast<const Number*>(values.const_data_ptr()) + head * values.stride(1),
          keys.stride(0),
          queries.size(2),
          n_dims,
          n_dims / kPerWord<Type>,
          (n_dims + kLanes - 1) / kLanes * kLanes,
          1.0f / std::sqrt(static_cast<float>(n_dims))};
      const Task<Type> heads(queries, result, rows, head);
      heads.begin(running, first, end);
      for (const std::int32_t s : by_span[task / n_heads]) {
        add_segment(running, segments[s], rows, first, end);
      }
      heads.end(running, first, end);
    }
  });
  return result;
}

}  // namespace

bool CpuSegmentPlan::can_attend(at::ScalarType type) {
  static const bool has_avx512 = __builtin_cpu_supports("avx512f");
  static const bool has_bf16 = has_avx512 && __builtin_cpu_supports("avx512bf16");
  return (type == at::kFloat && has_avx512) || (type == at::kBFloat16 && has_bf16);
}

bool CpuSegmentPlan::can_attend(const at::Tensor& queries) {
  return queries.is_cpu() && can_attend(queries.scalar_type()) && queries.stride(3) == 1 &&
         queries.size(3) % 2 == 0;
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
  RECORD_FUNCTION("labelprobe::attend", {});
  LABELPROBE_CHECK(keys.strides() == values.strides() && keys.stride(2) == 1);
  LABELPROBE_CHECK(keys.scalar_type() == queries.scalar_type());
  if (queries.scalar_type() == at::kFloat) {
    return attend_by_tasks<Single>(queries, keys, values, segments, by_span_);
  }
  LABELPROBE_CHECK(keys.stride(0) % 2 == 0 && keys.stride(1) % 2 == 0);
  return attend_by_tasks<Half>(queries, keys, values, segments, by_span_);
}

#else

bool CpuSegmentPlan::can_attend(at::ScalarType) {
  return false;
}

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
