// Rotary positions, in one pass over memory for float32 and bfloat16 on a CPU; other types by
// tensor operations.
//   T  rows (tokens)   H  heads   D  head size   R  numbers of a head that are turned, at most D
#pragma once

#include <ATen/core/Tensor.h>

namespace labelprobe::model {

// Rotates, in place, the pairs (i, i + R/2) of every head of x [T, H, D] (rows may be strided) by
// the angle whose cosine and sine are [T, R/2], float32.
void rotate_heads(at::Tensor x, const at::Tensor& cosines, const at::Tensor& sines);

}  // namespace labelprobe::model
