// Scaled dot-product attention over one set of keys, with the log of its denominator, so that sets
// can be joined (kernels.h). Query heads are grouped by the key head they share; keys are never
// copied per query head.
//   B  batch   K  key heads   G  query heads per key head   Q  queries   S  keys   D  head size
#pragma once

#include <optional>

#include <ATen/core/Tensor.h>

namespace labelprobe::model {

struct PartialAttention {
  at::Tensor values;  // shaped like the queries
  at::Tensor logs;    // values without the last dimension, float32
};

enum class Mask {
  None,
  Causal,  // query i sees keys 0..i
};

// Queries [Q, K, G, D] over keys and values [S, K, D]; the result is [Q, K, G, D].
PartialAttention attend_rows(const at::Tensor& queries,
                             const at::Tensor& keys,
                             const at::Tensor& values,
                             Mask mask);

// One query per sequence: queries [B, K, G, D] over that sequence's own keys and values
// [B, K, S, D]. `hidden` [B, 1, 1, S], float32: 0 where a key is seen and minus infinity where not;
// every sequence must see one.
PartialAttention attend_each(const at::Tensor& queries,
                             const at::Tensor& keys,
                             const at::Tensor& values,
                             const at::Tensor& hidden);

// As attend_rows() by plain tensor operations in float32, on any device: what the fast paths must
// agree with.
PartialAttention attend_rows_plainly(const at::Tensor& queries,
                                     const at::Tensor& keys,
                                     const at::Tensor& values,
                                     Mask mask);

}  // namespace labelprobe::model
