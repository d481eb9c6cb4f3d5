// Attention over parts of the key arena: every block of threads takes some rows of one key head and
// a range of keys, keeps a running softmax in float32 and writes what it found as a part; a second
// kernel joins the parts of each row by the logs of their denominators. Which block takes what is
// decided on the host (attention_plan.h), so the order of additions never changes.
//   T  rows   K  key heads   G  query heads per key head   D  head size   P  parts
#pragma once

#include "model/cuda/attention_item.h"
#include "model/cuda/attention_tiles.h"
#include "model/cuda/kernel_language.h"

namespace labelprobe::model::cuda {

template <typename T>
struct AttendArguments {
  const T* queries = nullptr;  // [T, K, G, D], heads one after another
  const T* keys = nullptr;     // [N, K, D]
  const T* values = nullptr;
  const AttentionItem* items = nullptr;
  const std::int32_t* n_steps = nullptr;  // keys that growing items have beside n_keys; null = none
  const std::int32_t* runs = nullptr;     // of items that have some
  const std::int32_t* n_seen = nullptr;   // by part, of such items
  float* parts = nullptr;                 // [P, K, G, D]
  float* logs = nullptr;                  // [P, K, G]
  std::int64_t query_stride = 0;          // of rows, in elements
  std::int64_t key_stride = 0;
  std::int64_t value_stride = 0;
  int n_groups = 0;  // G
  int head_size = 0;
  float scale = 0;
  bool is_aligned = false;  // sixteen bytes of a head may be read at once
};

constexpr int kLinesPerWarp = kWarp / kColumns;

// Where the arena has a key of an item.
__device__ inline int arena_row_of(const AttentionItem& item, const std::int32_t* runs, int key) {
  if (item.first_run < 0) return item.first_key + key;
  const std::int32_t* run = runs + 2 * item.first_run;
  while (run[2] <= key) run += 2;
  return run[1] + key - run[0];
}

// Rows of one head, widened; columns behind the head are zero.
template <typename T, int kHead>
__device__ void load_rows(float* to,
                          const T* from,
                          const int* rows,
                          std::int64_t stride,
                          int n_rows,
                          int head_size,
                          bool is_aligned) {
  constexpr int kToStride = kHead + 1;
  if (is_aligned) {
    constexpr int kSize = Vector<T>::kSize;
    constexpr int kVectors = kHead / kSize;
#pragma unroll 4
    for (int i = threadIdx.x; i < n_rows * kVectors; i += kAttendThreads) {
      const int row = i / kVectors;
      const int column = i % kVectors * kSize;
      Vector<T> vector = {};
      if (column < head_size) {
        vector = *reinterpret_cast<const Vector<T>*>(from + rows[row] * stride + column);
      }
#pragma unroll
      for (int j = 0; j < kSize; ++j) {
        to[row * kToStride + column + j] = to_float(vector.values[j]);
      }
    }
    return;
  }
  for (int i = threadIdx.x; i < n_rows * kHead; i += kAttendThreads) {
    const int row = i / kHead;
    const int column = i % kHead;
    to[row * kToStride + column] =
        column < head_size ? to_float(from[rows[row] * stride + column]) : 0.0f;
  }
}

// Products of the first kRows queries of a thread with the first kSome of its keys.
template <int kRows, int kSome, int kHead, int kRowsEach, int kKeysEach>
__device__ void multiply_keys(const float* queries,
                              const float* keys,
                              float (&scores)[kRowsEach][kKeysEach]) {
  constexpr int kStride = kHead + 1;
#pragma unroll 4
  for (int d = 0; d < kHead; ++d) {
    float key[kSome];
#pragma unroll
    for (int j = 0; j < kSome; ++j) key[j] = keys[j * kColumns * kStride + d];
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
      const float query = queries[i * kLines * kStride + d];
#pragma unroll
      for (int j = 0; j < kSome; ++j) scores[i][j] += query * key[j];
    }
  }
}

// Adds n_keys values to the first kRows sums of a thread.
template <int kRows, int kHead, int kWeightStride, int kRowsEach, int kValuesEach>
__device__ void add_values(const float* weights,
                           const float* values,
                           int n_keys,
                           float (&sums)[kRowsEach][kValuesEach]) {
  for (int key = 0; key < n_keys; ++key) {
    float value[kValuesEach];
#pragma unroll
    for (int c = 0; c < kValuesEach; ++c) value[c] = values[key * (kHead + 1) + c * kColumns];
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
      const float weight = weights[i * kLines * kWeightStride + key];
#pragma unroll
      for (int c = 0; c < kValuesEach; ++c) sums[i][c] += weight * value[c];
    }
  }
}

// Blocks: x counts items, y key heads.
template <typename T, int kQueries, int kKeys, int kHead>
__global__ void __launch_bounds__(kAttendThreads, AttendTile<kQueries, kKeys, kHead>::kBlocks)
    attend_items(AttendArguments<T> a) {
  using Tile = AttendTile<kQueries, kKeys, kHead>;
  constexpr int kRowsEach = kQueries / kLines;
  constexpr int kKeysEach = kKeys / kColumns;
  constexpr int kFewKeysEach = kKeysEach < 2 ? kKeysEach : 2;
  constexpr int kValuesEach = kHead / kColumns;
  LABELPROBE_SHARED_FLOATS(shared);
  float* queries = shared;
  float* keys = queries + kQueries * Tile::kStride;  // then the values
  float* weights = keys + kKeys * Tile::kStride;
  int* arena_rows = reinterpret_cast<int*>(weights + kQueries * Tile::kWeightStride);

  const AttentionItem item = a.items[blockIdx.x];
  const int key_head = blockIdx.y;
  const int n_key_heads = gridDim.y;
  const int column = threadIdx.x % kColumns;
  const int line = threadIdx.x / kColumns;
  const int n_queries = item.n_rows * a.n_groups;
  // A row that shares its keys with no other leaves most of the tile empty.
  const bool has_one_row = n_queries <= kLines;                            // of the tile, per line
  const bool is_idle = line / kLinesPerWarp * kLinesPerWarp >= n_queries;  // the whole warp
  const int n_steps = item.capacity > 0 && a.n_steps ? *a.n_steps : 0;
  const int n_keys =
      item.capacity > 0 ? max(0, min(item.capacity, item.n_keys + n_steps)) : item.n_keys;

  for (int i = threadIdx.x; i < n_queries * kHead; i += kAttendThreads) {
    const int query = i / kHead;
    const int d = i % kHead;
    const std::int64_t row = item.first_row + query / a.n_groups;
    const int head = key_head * a.n_groups + query % a.n_groups;
    queries[query * Tile::kStride + d] =
        d < a.head_size
            ? to_float(a.queries[row * a.query_stride + std::int64_t{head} * a.head_size + d]) *
                  a.scale
            : 0.0f;
  }

  float sums[kRowsEach][kValuesEach] = {};
  float largest[kRowsEach];
  float totals[kRowsEach] = {};
#pragma unroll
  for (int i = 0; i < kRowsEach; ++i) largest[i] = -INFINITY;

  for (int first = 0; first < n_keys; first += kKeys) {
    const int n_here = min(kKeys, n_keys - first);
    const std::int64_t head_offset = std::int64_t{key_head} * a.head_size;
    __syncthreads();
    for (int i = threadIdx.x; i < n_here; i += kAttendThreads) {
      arena_rows[i] = arena_row_of(item, a.runs, first + i);
    }
    __syncthreads();
    load_rows<T, kHead>(keys, a.keys + head_offset, arena_rows, a.key_stride, n_here, a.head_size,
                        a.is_aligned);
    __syncthreads();
    float scores[kRowsEach][kKeysEach] = {};
    const float* own_queries = queries + line * Tile::kStride;
    const float* own_keys = keys + column * Tile::kStride;
    if (!has_one_row) {
      multiply_keys<kRowsEach, kKeysEach, kHead>(own_queries, own_keys, scores);
    } else if (!is_idle && n_here <= kColumns) {
      multiply_keys<1, 1, kHead>(own_queries, own_keys, scores);
    } else if (!is_idle && n_here <= kFewKeysEach * kColumns) {
      multiply_keys<1, kFewKeysEach, kHead>(own_queries, own_keys, scores);
    } else if (!is_idle) {
      multiply_keys<1, kKeysEach, kHead>(own_queries, own_keys, scores);
    }
#pragma unroll
    for (int i = 0; i < kRowsEach; ++i) {
      if (i > 0 && has_one_row) break;
      const int query = line + i * kLines;
      // So many keys of the item are seen. Lines behind the last row do as it does.
      const int row = min(query / a.n_groups, item.n_rows - 1);
      const std::int64_t n_seen =
          item.first_run < 0
              ? std::int64_t{item.first_row} + row + item.diagonal - item.first_key + 1
              : std::int64_t{a.n_seen[item.first_part + row]} + n_steps;
      float best = largest[i];
#pragma unroll
      for (int j = 0; j < kKeysEach; ++j) {
        const int key = column + j * kColumns;
        if (key >= n_here || first + key >= n_seen) scores[i][j] = -INFINITY;
        best = fmaxf(best, scores[i][j]);
      }
      best = max_over(best, kColumns);
      const float base = best == -INFINITY ? 0.0f : best;
      const float shrink = expf(largest[i] - base);
      float total = 0;
#pragma unroll
      for (int j = 0; j < kKeysEach; ++j) {
        const float weight = expf(scores[i][j] - base);
        weights[query * Tile::kWeightStride + column + j * kColumns] = weight;
        total += weight;
      }
      totals[i] = totals[i] * shrink + sum_over(total, kColumns);
      largest[i] = best;
#pragma unroll
      for (int c = 0; c < kValuesEach; ++c) sums[i][c] *= shrink;
    }
    __syncthreads();
    load_rows<T, kHead>(keys, a.values + head_offset, arena_rows, a.value_stride, n_here,
                        a.head_size, a.is_aligned);
    __syncthreads();
    const float* own_weights = weights + line * Tile::kWeightStride;
    if (!has_one_row) {
      add_values<kRowsEach, kHead, Tile::kWeightStride>(own_weights, keys + column, n_here, sums);
    } else if (!is_idle) {
      add_values<1, kHead, Tile::kWeightStride>(own_weights, keys + column, n_here, sums);
    }
  }

#pragma unroll
  for (int i = 0; i < kRowsEach; ++i) {
    const int query = line + i * kLines;
    if (query >= n_queries) continue;
    const std::int64_t part = std::int64_t{item.first_part} + query / a.n_groups;
    const std::int64_t head = (part * n_key_heads + key_head) * a.n_groups + query % a.n_groups;
    const float share = totals[i] > 0 ? 1.0f / totals[i] : 0.0f;
#pragma unroll
    for (int c = 0; c < kValuesEach; ++c) {
      const int d = column + c * kColumns;
      if (d < a.head_size) a.parts[head * a.head_size + d] = sums[i][c] * share;
    }
    if (column == 0) a.logs[head] = totals[i] > 0 ? largest[i] + logf(totals[i]) : -INFINITY;
  }
}

constexpr int kMaxLevels = 16;

template <typename T>
struct MergeArguments {
  const float* parts = nullptr;  // [P, H, D]
  const float* logs = nullptr;   // [P, H]
  // Results of whole passes over all rows, by level.
  const T* level_values[kMaxLevels] = {};     // [T, H, D]
  const float* level_logs[kMaxLevels] = {};   // [H, T]
  const std::int32_t* first_parts = nullptr;  // [T + 1], into part_ids
  const std::int32_t* part_ids = nullptr;     // a part, or -1 - level
  T* result = nullptr;                        // [T, H, D]
  int n_rows = 0;
  int n_heads = 0;
  int head_size = 0;
};

constexpr int kMergeThreads = 64;

// Blocks: x counts rows, y heads.
template <typename T>
__global__ void __launch_bounds__(kMergeThreads) merge_parts(MergeArguments<T> a) {
  const std::int64_t row = blockIdx.x;
  const std::int64_t head = blockIdx.y;
  const int first = a.first_parts[row];
  const int end = a.first_parts[row + 1];
  const auto log_of = [&](int id) {
    return id >= 0 ? a.logs[std::int64_t{id} * a.n_heads + head]
                   : a.level_logs[-1 - id][head * a.n_rows + row];
  };
  float largest = -INFINITY;
  for (int i = first; i < end; ++i) largest = fmaxf(largest, log_of(a.part_ids[i]));
  float total = 0;
  for (int i = first; i < end; ++i) total += expf(log_of(a.part_ids[i]) - largest);
  for (int d = threadIdx.x; d < a.head_size; d += kMergeThreads) {
    float sum = 0;
    for (int i = first; i < end; ++i) {
      const int id = a.part_ids[i];
      const float weight = expf(log_of(id) - largest) / total;
      sum +=
          weight *
          (id >= 0 ? a.parts[(std::int64_t{id} * a.n_heads + head) * a.head_size + d]
                   : to_float(a.level_values[-1 - id][(row * a.n_heads + head) * a.head_size + d]));
    }
    a.result[(row * a.n_heads + head) * a.head_size + d] = from_float<T>(sum);
  }
}

}  // namespace labelprobe::model::cuda
