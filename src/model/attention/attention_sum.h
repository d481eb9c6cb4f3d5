// Attention over several sets of keys, put together from that over each (attention.h).
//   T  rows (tokens)   H  heads, in K groups of G   D  head size
#pragma once

#include <ATen/core/Tensor.h>

namespace labelprobe::model {

// An attention over a set of keys, kept so that further sets can be added to it: the softmax-
// weighted values, and the log of the softmax's denominator. Both float32, for T rows.
struct AttentionSum {
  at::Tensor values;  // [T, K, G, D], contiguous
  at::Tensor logs;    // [T, K, G], contiguous
};

AttentionSum empty_attention_sum(const at::Tensor& queries);  // [T, K, G, D] of any type

// Sets rows first_row and on of `sum` to what attention over one set of keys gave them, or merges
// that in: exact, whatever the sets. The part's tensors are [n, K, G, D] and [n, K, G], any
// strides; values of any type.
enum class Accumulate { Set, Merge };
void accumulate(AttentionSum& sum,
                int first_row,
                const at::Tensor& values,
                const at::Tensor& logs,
                Accumulate how);

}  // namespace labelprobe::model
