// The activation of a decoder's layers, in one pass over memory for float32 and bfloat16 on a CPU;
// other types by tensor operations.
//   T  rows (tokens)   F  width of the inner layer
#pragma once

#include <ATen/core/Tensor.h>

namespace labelprobe::model {

// silu(gate) * up of gate_up [T, 2 F] = gate | up; may reuse gate_up's memory, the result is
// [T, F].
at::Tensor gated_silu(at::Tensor gate_up);

}  // namespace labelprobe::model
