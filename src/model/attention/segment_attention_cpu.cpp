#include "model/attention/segment_attention_cpu.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/record_function.h>

#include "labelprobe/core/error.h"

#include "model/attention/plain_tile.h"
#include "model/attention/running_attention.h"
#include "weights/device/processor.h"

#ifdef LABELPROBE_AVX512
#include "model/attention/attention_tile.h"
#endif

namespace labelprobe::model {
namespace {

// How numbers are laid out for the products, and by what code: `Number` as tensors hold it, `Word`
// as the summed dimension is packed.
struct Plain {  // float32 on any processor
  using Number = float;
  using Word = float;
};

struct Single {  // float32 with AVX-512
  using Number = float;
  using Word = float;
};

struct Half {  // bfloat16 with AVX512-BF16
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
  float softcap;        // 0 = none
  std::int64_t window;  // 0 = none
  const float* sinks;   // [n_groups], or null
};

// A block of keys, turned, and its values.
template <typename Type>
struct Block {
  const typename Type::Word* keys;
  const typename Type::Word* values;
  std::int64_t value_stride;
  std::int64_t n_keys;
};

// A block of keys for n queries from `query` on, and what each sees of it.
template <typename Type>
using AttendTile = void (*)(RunningAttention& running,
                            std::int64_t query,
                            const SeenKeys* seen,
                            const Block<Type>& block,
                            const HeadRows<Type>& rows);

// Where scores are capped; returns what they are still to be multiplied by.
template <typename Type>
float cap_if_asked(float* scores, const HeadRows<Type>& rows) {
  if (rows.softcap == 0) return rows.scale;
  cap_scores(scores, rows.scale, rows.softcap);
  return 1.0f;
}

template <int R>
void attend_plain_tile(RunningAttention& running,
                       std::int64_t query,
                       const SeenKeys* seen,
                       const Block<Plain>& block,
                       const HeadRows<Plain>& rows) {
  const auto* queries = reinterpret_cast<const float*>(running.queries.data());
  for (std::int64_t q = query; q < query + R; ++q) {
    score_plainly(queries + q * rows.n_words, block.keys, rows.n_words, running.scores);
    const float scale = cap_if_asked(running.scores, rows);
    weigh_plainly(running.scores, scale, seen[q - query], running, q, rows.width);
    add_values_plainly(running.scores, block.values, block.value_stride, block.n_keys, rows.width,
                       running.sums.data() + q * rows.width);
  }
}

#ifdef LABELPROBE_AVX512

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

template <int R, typename Type>
void attend_tile(RunningAttention& running,
                 std::int64_t query,
                 const SeenKeys* seen,
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
    const float scale = cap_if_asked(scores + r * kBlock, rows);
    weigh_scores(scores + r * kBlock, scale, seen[r], running, query + r, rows.width);
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
constexpr AttendTile<Type> kAttendTile[kQueryTile] = {attend_tile<1, Type>, attend_tile<2, Type>,
                                                      attend_tile<3, Type>, attend_tile<4, Type>,
                                                      attend_tile<5, Type>, attend_tile<6, Type>};

#else

template <typename Type>
constexpr AttendTile<Type> kAttendTile[kQueryTile] = {};

#endif

template <>
constexpr AttendTile<Plain> kAttendTile<Plain>[kQueryTile] = {
    attend_plain_tile<1>, attend_plain_tile<2>, attend_plain_tile<3>,
    attend_plain_tile<4>, attend_plain_tile<5>, attend_plain_tile<6>};

template <typename Type>
void turn_keys(RunningAttention& running, std::int64_t n_kept, std::int64_t n, std::int64_t words) {
  if constexpr (std::is_same_v<Type, Plain>) {
    transpose_plainly(running.key_rows, n_kept, n, words,
                      reinterpret_cast<float*>(running.keys.data()));
  } else {
#ifdef LABELPROBE_AVX512
    transpose(running.key_rows, n_kept, n, words, running.keys.data());
#endif
  }
}

// Values, and in bfloat16 pairs of them, in rows of the block's own.
template <typename Type>
void copy_values(RunningAttention& running, std::int64_t n, const HeadRows<Type>& rows) {
  if constexpr (!std::is_same_v<Type, Half>) {
    for (std::int64_t i = running.n_copied; i < n; ++i) {
      std::memcpy(running.values.data() + i * rows.width, running.value_rows[i],
                  rows.n_dims * sizeof(float));
    }
  } else {
#ifdef LABELPROBE_AVX512
    for (std::int64_t i = running.n_copied; i < n; i += 2) {
      pair_rows(static_cast<const std::uint16_t*>(running.value_rows[i]),
                i + 1 < n ? static_cast<const std::uint16_t*>(running.value_rows[i + 1]) : nullptr,
                rows.n_dims, running.values.data() + i / 2 * rows.width);
    }
#endif
  }
  running.n_copied = n;
}

template <typename Type>
Block<Type> load_block(RunningAttention& running,
                       const HeadRows<Type>& rows,
                       const KeyBlock& block,
                       std::span<const KeyRun> runs) {
  using Word = typename Type::Word;
  std::int64_t n = 0;
  for (const KeyRun& run : runs) {
    for (std::int64_t key = run.first_key; key < run.first_key + run.n_keys; ++key, ++n) {
      running.key_rows[n] = rows.keys + key * rows.stride;
      running.value_rows[n] = rows.values + key * rows.stride;
    }
  }
  turn_keys<Type>(running, block.n_kept, n, rows.n_words);
  const auto* keys = reinterpret_cast<const Word*>(running.keys.data());
  const bool is_in_place =
      !std::is_same_v<Type, Half> && runs.size() == 1 && rows.n_dims == rows.width;
  if (is_in_place) {
    running.n_copied = 0;
    return {keys, static_cast<const Word*>(running.value_rows[0]), rows.stride, n};
  }
  running.n_copied = std::min(running.n_copied, block.n_kept);
  copy_values<Type>(running, n, rows);
  return {keys, reinterpret_cast<const Word*>(running.values.data()), rows.width, n};
}

// A block for the rows that see it; `first` is the task's first row.
template <typename Type>
void add_block(RunningAttention& running,
               const KeyBlocks& blocks,
               const KeyBlock& key_block,
               const HeadRows<Type>& rows,
               std::int64_t first) {
  const Block<Type> block = load_block(running, rows, key_block, blocks.runs(key_block));
  const std::int64_t end_query = (key_block.end_row - first) * rows.n_groups;
  for (std::int64_t query = (key_block.first_row - first) * rows.n_groups; query < end_query;
       query += kQueryTile) {
    const std::int64_t n_queries = std::min(kQueryTile, end_query - query);
    SeenKeys seen[kQueryTile];
    bool is_seen = false;
    for (std::int64_t r = 0; r < n_queries; ++r) {
      const std::int64_t row = first + (query + r) / rows.n_groups;
      seen[r] = {blocks.n_passed(key_block, row, rows.window), blocks.n_seen(key_block, row)};
      is_seen = is_seen || seen[r].first < seen[r].end;
    }
    if (is_seen) kAttendTile<Type>[n_queries - 1](running, query, seen, block, rows);
  }
}

// The blocks that the rows of a task see; `first` is its first row.
template <typename Type>
void add_blocks(RunningAttention& running,
                const KeyBlocks& blocks,
                std::int64_t span,
                const HeadRows<Type>& rows,
                std::int64_t first) {
  bool holds_last = true;
  for (const KeyBlock& block : blocks.of_span(span)) {
    const bool held_last = std::exchange(holds_last, blocks.is_seen(block, rows.window));
    if (!holds_last) continue;
    KeyBlock loaded = block;
    if (!held_last) loaded.n_kept = 0;
    add_block(running, blocks, loaded, rows, first);
  }
}

// Joins a sink to a query's denominator; returns what its sums are to be multiplied by.
float share_beside_sink(float largest, float total, float sink) {
  const float top = std::max(largest, sink);
  const float scale = std::exp(largest - top);
  return scale / (total * scale + std::exp(sink - top));
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
    running.n_copied = 0;
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
      const float share =
          rows_.sinks == nullptr
              ? 1.0f / running.totals[q]
              : share_beside_sink(running.largest[q], running.totals[q], rows_.sinks[q % n_groups]);
      store(running.sums.data() + q * rows_.width, share, rows_.n_dims,
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
                           const AttentionForm& form,
                           const KeyBlocks& blocks) {
  using Number = typename Type::Number;
  const std::int64_t n_rows = queries.size(0);
  const std::int64_t n_heads = queries.size(1);
  const std::int64_t n_dims = queries.size(3);
  at::Tensor result = at::empty({n_rows, n_heads * queries.size(2) * n_dims}, queries.options());
  const float scale = form.scale != 0.0 ? static_cast<float>(form.scale)
                                        : 1.0f / std::sqrt(static_cast<float>(n_dims));
  const float* sinks = form.sinks.defined() ? form.sinks.const_data_ptr<float>() : nullptr;
  const std::int64_t n_tasks = blocks.n_spans() * n_heads;
  // Tasks differ too much in length to be dealt out beforehand.
  std::atomic<std::int64_t> next = 0;
  at::parallel_for(0, at::get_num_threads(), 1, [&](std::int64_t, std::int64_t) {
    static thread_local RunningAttention running;
    for (std::int64_t task = next++; task < n_tasks; task = next++) {
      const std::int64_t head = task % n_heads;
      const std::int64_t first = task / n_heads * kRowsPerSpan;
      const std::int64_t end = std::min(n_rows, first + kRowsPerSpan);
      const HeadRows<Type> rows = {
          static_cast<const Number*>(keys.const_data_ptr()) + head * keys.stride(1),
          static_cast<const Number*>(values.const_data_ptr()) + head * values.stride(1),
          keys.stride(0),
          queries.size(2),
          n_dims,
          n_dims / kPerWord<Type>,
          (n_dims + kLanes - 1) / kLanes * kLanes,
          scale,
          static_cast<float>(form.softcap),
          form.window,
          sinks == nullptr ? nullptr : sinks + head * queries.size(2)};
      const Task<Type> heads(queries, result, rows, head);
      heads.begin(running, first, end);
      add_blocks(running, blocks, task / n_heads, rows, first);
      heads.end(running, first, end);
    }
  });
  return result;
}

}  // namespace

bool CpuSegmentPlan::can_attend(at::ScalarType type) {
  return type == at::kFloat || (type == at::kBFloat16 && weights::multiplies_bfloat16());
}

std::string_view CpuSegmentPlan::describe_code(at::ScalarType type) {
  if (type == at::kBFloat16) return "own code for AVX512-BF16";
  return weights::has_avx512() ? "own code for AVX512" : "own code";
}

void CpuSegmentPlan::plan(std::int64_t n_rows, std::span<const KeySegment> segments) {
  blocks_.plan(n_rows, segments);
}

at::Tensor CpuSegmentPlan::attend(const at::Tensor& queries,
                                  const at::Tensor& keys,
                                  const at::Tensor& values,
                                  const AttentionForm& form,
                                  Code code) const {
  RECORD_FUNCTION("labelprobe::attend", {});
  LABELPROBE_CHECK(can_attend(queries.scalar_type()) && queries.stride(3) == 1);
  LABELPROBE_CHECK(keys.strides() == values.strides() && keys.stride(2) == 1);
  LABELPROBE_CHECK(keys.scalar_type() == queries.scalar_type());
  if (queries.scalar_type() == at::kFloat) {
    return code == Code::Fastest && weights::has_avx512()
               ? attend_by_tasks<Single>(queries, keys, values, form, blocks_)
               : attend_by_tasks<Plain>(queries, keys, values, form, blocks_);
  }
  LABELPROBE_CHECK(queries.size(3) % 2 == 0 && keys.stride(0) % 2 == 0 && keys.stride(1) % 2 == 0);
  return attend_by_tasks<Half>(queries, keys, values, form, blocks_);
}

}  // namespace labelprobe::model
