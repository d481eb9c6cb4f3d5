// SegmentAttention on a GPU: our own kernel attends to parts of the keys, and one more joins them;
// where speed is asked for instead of the same bits in every schedule, what the plan gives to flash
// attention goes through libtorch's operator.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "model/attention/attention_plan.h"
#include "model/attention/key_segment.h"

namespace labelprobe::model {

class CudaAttention {
 public:
  explicit CudaAttention(bool is_fast) : is_fast_(is_fast) {}

  // Whether attend() can be used: the module is there, and takes such queries [T, K, G, D].
  static bool can_attend(const at::Tensor& queries);

  // Whether some of the rows may go to flash attention, if it is fast.
  static bool uses_flash(const at::Tensor& queries);

  // Keeps the segments of a pass; the tables are made for the first layer's queries.
  //   window  as of AttentionShape
  void plan(std::int64_t n_rows, std::span<const KeySegment> segments, std::int64_t window = 0);

  // As SegmentAttention's: the tables stay, and a number on the device changes.
  void grow();
  bool is_prepared() const { return plan_.has_value(); }

  // As SegmentAttention's.
  at::Tensor attend(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values);

 private:
  void prepare(const at::Tensor& queries);

  bool is_fast_;
  std::vector<KeySegment> segments_;
  std::int64_t n_rows_ = 0;
  std::int64_t window_ = 0;
  std::optional<cuda::AttentionPlan> plan_;
  at::Tensor tables_;  // all of the plan's numbers, int32, one copy to the device
  // Views of tables_.
  at::Tensor items_;
  at::Tensor first_parts_;
  at::Tensor part_ids_;
  at::Tensor runs_;
  at::Tensor n_seen_;
  at::Tensor n_steps_;  // [1], of grow()
  struct Level {
    at::Tensor first_rows;
    at::Tensor first_keys;
    at::Tensor n_keys;
  };
  std::vector<Level> levels_;
  at::Tensor parts_;  // [P, K, G, D], the same memory for all layers
  at::Tensor logs_;   // [P, K, G]
};

}  // namespace labelprobe::model
