// Attention of packed rows that see different sets of keys, all of a layer in one pass: every row
// its ancestors in the prefix tree, wherever they are kept, and itself. Written out for float32 on
// processors with AVX-512; attention.h has what every other device uses, one set at a time.
//   T  rows   K  key heads   G  query heads per key head   D  head size
#pragma once

#include <cstdint>
#include <span>

#include <ATen/core/Tensor.h>

#include "attention.h"

namespace labelprobe::model {

// Keys and values of consecutive tokens, and the rows that see them.
struct KeySegment {
  const float* keys = nullptr;    // [n_tokens, K, D] by the strides below
  const float* values = nullptr;  // the same
  std::int64_t token_stride = 0;
  std::int64_t head_stride = 0;
  std::int64_t n_tokens = 0;
  std::int64_t first_row = 0;
  std::int64_t end_row = 0;
  Mask mask = Mask::None;  // Causal: row first_row + i sees tokens 0..i
};

// Of keys and values whose dimensions are tokens, heads, head size; their strides must be equal.
KeySegment make_key_segment(const at::Tensor& keys, const at::Tensor& values, Mask mask);

// Whether attend_segments() can be used for such queries [T, K, G, D] on this processor.
bool can_attend_segments(const at::Tensor& queries);

// Queries [T, K, G, D] over all segments that hold their row, at least one for each; the result is
// [T, K * G * D].
at::Tensor attend_segments(const at::Tensor& queries, std::span<const KeySegment> segments);

}  // namespace labelprobe::model
