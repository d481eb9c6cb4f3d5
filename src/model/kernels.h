// The element-wise steps of a decoder that libtorch would do in several passes over memory. Written
// out for float32 and bfloat16 on the CPU; any other device or type goes through tensor operations
// that mean the same.
//   T  rows (tokens)   C  hidden size   H  heads, in K groups of G   D  head size
#pragma once

#include <cstdint>
#include <optional>

#include <ATen/core/Tensor.h>

namespace labelprobe::model {

// Each row of x [T, C] divided by its root mean square (in float32) and multiplied by weight [C],
// which is float32 whatever x is. The result is of `type`, or of x's.
at::Tensor rms_norm(const at::Tensor& x,
                    const at::Tensor& weight,
                    double epsilon,
                    std::optional<at::ScalarType> type = {});

// Rotates, in place, the pairs (i, i + D/2) of every head of x [T, H, D] (rows may be strided) by
// the angle whose cosine and sine are [T, D/2], float32.
void rotate_heads(at::Tensor x, const at::Tensor& cosines, const at::Tensor& sines);

// sum [T, C] += part [T, C], which may be of another type.
void add_rows(at::Tensor& sum, const at::Tensor& part);

// silu(gate) * up of gate_up [T, 2 F] = gate | up; may reuse gate_up's memory, the result is
// [T, F].
at::Tensor gated_silu(at::Tensor gate_up);

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

// log of the sum of exp(x[i]), of numbers whose largest is known.
float log_sum_exp(const float* x, std::int64_t n, float largest);

}  // namespace labelprobe::model
