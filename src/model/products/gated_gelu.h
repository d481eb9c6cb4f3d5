// The activation of Gemma's layers, in one pass over memory for float32 on a CPU; other types by
// tensor operations.
//   T  rows (tokens)   F  width of the inner layer
#pragma once

#include <ATen/core/Tensor.h>

namespace labelprobe::model {

// gelu(gate) * up of gate_up [T, 2 F] = gate | up, gelu in the form with tanh; may reuse gate_up's
// memory, the result is [T, F]. On a CPU a number's bits do not depend on where it stands.
at::Tensor gated_gelu(at::Tensor gate_up);

}  // namespace labelprobe::model
