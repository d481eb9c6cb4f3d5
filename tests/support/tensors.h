// How far two tensors lie apart, in double precision, wherever and in whatever type they are kept.
#pragma once

#include <ATen/core/Tensor.h>

namespace labelprobe::support {

// The largest difference of two elements. Of equal shapes, or it throws.
double largest_difference(const at::Tensor& found, const at::Tensor& expected);

// The same as a share of the largest expected element.
double largest_share(const at::Tensor& found, const at::Tensor& expected);

// The length of the difference as a share of the length of what was expected.
double distance(const at::Tensor& found, const at::Tensor& expected);

// Rows [rows, heads, dim] that are the middle of a wider tensor, as the parts of a fused
// projection.
at::Tensor strided_randn(std::int64_t rows, std::int64_t heads, std::int64_t dim);

}  // namespace labelprobe::support
