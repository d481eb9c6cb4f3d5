// Products on a GPU whose rows do not depend on how many there are: libtorch's libraries choose a
// way by the shape, so every product is of one shape.
//   T  rows
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "model/products/linear.h"

namespace labelprobe::model {

// As many as make a product of bfloat16 take about as long to compute as its weight to read, on the
// GPUs that this is for (H100: 990 TFLOP/s and 3.35 TB/s balance at 296 rows): few rows cost no
// more time, many rows little.
constexpr std::int64_t kFixedRows = 256;

// With rows of zeros behind the last one, up to a multiple of kFixedRows. Products of such rows
// need not be filled up one by one.
at::Tensor filled_up(const at::Tensor& rows);

// As weight(x), kFixedRows rows at a time, of which the last are filled up with zeros.
at::Tensor multiply_by_fixed_rows(const Linear& weight, const at::Tensor& x);

// As weight.add_to(sum, x), likewise.
void add_by_fixed_rows(at::Tensor& sum, const Linear& weight, const at::Tensor& x);

}  // namespace labelprobe::model
