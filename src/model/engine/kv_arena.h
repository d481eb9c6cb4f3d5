// Where the keys and values of a run are kept: one piece of memory per layer, given out in ranges
// of rows. Who sees which rows is the business of SegmentAttention.
//   L  layers   N  rows   T  rows of a forward pass   K  key heads   D  head size
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include <ATen/core/Tensor.h>

namespace labelprobe::model {

// Which of n rows are free. Same calls, same answers.
class RowRanges {
 public:
  explicit RowRanges(std::int64_t n_rows);

  // The first of `n` free rows, the lowest there are; nothing where no hole is large enough.
  std::optional<std::int64_t> reserve(std::int64_t n);
  // Gives back reserved rows, a whole range or any part of it.
  void release(std::int64_t first, std::int64_t n);

  std::int64_t n_free() const { return n_free_; }

 private:
  std::map<std::int64_t, std::int64_t> holes_;  // first row -> rows; none touches the next
  std::int64_t n_free_;
};

class KvArena {
 public:
  // On the CPU the system finds memory for a row when it is first written.
  KvArena(std::int64_t n_layers,
          std::int64_t n_rows,
          std::int64_t n_kv_heads,
          std::int64_t head_dim,
          at::TensorOptions options);

  std::int64_t n_rows() const { return keys_.size(1); }
  std::int64_t n_free_rows() const { return ranges_.n_free(); }

  // Throws std::bad_alloc where no `n` rows that follow one another are free.
  std::int64_t reserve(std::int64_t n);
  void release(std::int64_t first, std::int64_t n) { ranges_.release(first, n); }

  // The keys and the values of one layer, [N, K, D].
  at::Tensor keys(int layer) const { return keys_[layer]; }
  at::Tensor values(int layer) const { return values_[layer]; }

  // Stores keys and values [T, K, D] in the rows from `first` on, or in rows [T] (int64, on the
  // device).
  void write(int layer, std::int64_t first, const at::Tensor& keys, const at::Tensor& values);
  void write(int layer, const at::Tensor& rows, const at::Tensor& keys, const at::Tensor& values);

 private:
  RowRanges ranges_;
  at::Tensor keys_;    // [L, N, K, D]
  at::Tensor values_;  // [L, N, K, D]
};

}  // namespace labelprobe::model
