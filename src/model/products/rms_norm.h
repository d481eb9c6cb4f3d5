// The norm before every part of a decoder's layers, in one pass over memory; on other than float32
// rows of a CPU by tensor operations.
//   T  rows (tokens)   C  hidden size
#pragma once

#include <optional>

#include <ATen/core/Tensor.h>

namespace labelprobe::model {

// Each row of x [T, C] divided by its root mean square (in float32) and multiplied by weight [C],
// which is float32 whatever x is. The result is of `type`, or of x's.
at::Tensor rms_norm(const at::Tensor& x,
                    const at::Tensor& weight,
                    double epsilon,
                    std::optional<at::ScalarType> type = {});

}  // namespace labelprobe::model
