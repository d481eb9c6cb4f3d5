// SegmentAttention on a CPU: in float32 on any, in bfloat16 where it multiplies that; with code of
// its own for AVX-512.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <ATen/core/Tensor.h>

#include "model/attention/attention_form.h"
#include "model/attention/key_blocks.h"
#include "model/attention/key_segment.h"

namespace labelprobe::model {

class CpuSegmentPlan {
 public:
  // Plain is what processors without AVX-512 run, here on any.
  enum class Code { Fastest, Plain };

  // Whether attend() takes numbers of a type on this processor.
  static bool can_attend(at::ScalarType type);
  // Whose code that is, for people.
  static std::string_view describe_code(at::ScalarType type);

  void plan(std::int64_t n_rows, std::span<const KeySegment> segments);

  // As SegmentAttention's. A row's numbers depend on what it sees alone, not on how its keys lie in
  // the arena, on the rows beside it or on the number of threads.
  at::Tensor attend(const at::Tensor& queries,
                    const at::Tensor& keys,
                    const at::Tensor& values,
                    const AttentionForm& form = {},
                    Code code = Code::Fastest) const;

 private:
  KeyBlocks blocks_;
};

}  // namespace labelprobe::model
