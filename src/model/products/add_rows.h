// The sum that a decoder's layers add to, kept in float32 where they compute in fewer bits.
//   T  rows (tokens)   C  hidden size
#pragma once

#include <ATen/core/Tensor.h>

namespace labelprobe::model {

// sum [T, C] += part [T, C], which may be of another type.
void add_rows(at::Tensor& sum, const at::Tensor& part);

}  // namespace labelprobe::model
