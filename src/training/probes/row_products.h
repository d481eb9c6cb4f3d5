// Products of all rows of a matrix with each other.
#pragma once

#include <ATen/core/Tensor.h>

namespace labelprobe::training {

// [n_rows][n_rows] of rows [n_rows][n_features]. Those on and below the diagonal are there, the
// others are undefined.
at::Tensor lower_products(const at::Tensor& rows);

}  // namespace labelprobe::training
