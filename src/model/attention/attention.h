// Scaled dot-product attention over one set of keys, with the log of its denominator, so that sets
// can be joined (attention_sum.h). Query heads are grouped by the key head they share; keys are
// never copied per query head.
//   Q  queries   K  key heads   G  query heads per key head   S  keys   D  head size
#pragma once

#include <ATen/core/Tensor.h>

#include "model/attention/attention_form.h"
#include "model/attention/key_segment.h"

namespace labelprobe::model {

struct PartialAttention {
  at::Tensor values;  // shaped like the queries
  at::Tensor logs;    // values without the last dimension, float32
};

// Queries [Q, K, G, D] over keys and values [S, K, D]; the result is [Q, K, G, D]. By plain tensor
// operations in float32, on any device: what the fast ways must agree with. The form's scale and
// cap count here; its window and sinks are the caller's, who may say which keys a query's window
// has passed: bool [Q, S]. A query without keys gets zeros, and minus infinity for a log.
PartialAttention attend_rows(const at::Tensor& queries,
                             const at::Tensor& keys,
                             const at::Tensor& values,
                             Mask mask,
                             const AttentionForm& form = {},
                             const at::Tensor& passed = {});

}  // namespace labelprobe::model
