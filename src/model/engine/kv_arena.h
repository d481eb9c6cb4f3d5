// Where the keys and values of a run are kept: one piece of memory per layer, on the layer's
// device, given out in ranges of rows. Who sees which rows is the business of SegmentAttention.
//   L  layers   N  rows   T  rows of a forward pass   K  key heads   D  head size
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "model/decoder/placement.h"

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
  KvArena(const Placement& placement,
          int n_layers,
          std::int64_t n_rows,
          std::int64_t n_kv_heads,
          std::int64_t head_dim,
          at::ScalarType type);

  std::int64_t n_rows() const { return n_rows_; }
  std::int64_t n_free_rows() const { return ranges_.n_free(); }

  // Throws std::bad_alloc where no `n` rows that follow one another are free.
  std::int64_t reserve(std::int64_t n);
  void release(std::int64_t first, std::int64_t n) { ranges_.release(first, n); }

  // The keys and the values of one layer, [N, K, D].
  at::Tensor keys(int layer) const { return keys_[static_cast<std::size_t>(layer)]; }
  at::Tensor values(int layer) const { return values_[static_cast<std::size_t>(layer)]; }

  // Stores keys and values [T, K, D] in the rows from `first` on, or in rows [T] (int64, on their
  // device).
  void write(int layer, std::int64_t first, const at::Tensor& keys, const at::Tensor& values);
  void write(int layer, const at::Tensor& rows, const at::Tensor& keys, const at::Tensor& values);

 private:
  RowRanges ranges_;
  std::int64_t n_rows_;
  // By layer, [N, K, D]: views of one piece of memory for each device.
  std::vector<at::Tensor> keys_;
  std::vector<at::Tensor> values_;
};

}  // namespace labelprobe::model
