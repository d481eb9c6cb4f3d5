// SegmentAttention written out for processors with AVX-512: in float32, and in bfloat16 where they
// multiply that.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "model/attention/key_segment.h"

namespace labelprobe::model {

class CpuSegmentPlan {
 public:
  // Whether attend() can be used on this processor for numbers of a type, for queries [T, K, G, D].
  static bool can_attend(at::ScalarType type);
  static bool can_attend(const at::Tensor& queries);

  void plan(std::int64_t n_rows, std::span<const KeySegment> segments);

  // As SegmentAttention's; `segments` are those of plan().
  at::Tensor attend(const at::Tensor& queries,
                    const at::Tensor& keys,
                    const at::Tensor& values,
                    std::span<const KeySegment> segments) const;

 private:
  std::vector<std::vector<std::int32_t>> by_span_;  // segments that hold some of its rows
};

}  // namespace labelprobe::model
