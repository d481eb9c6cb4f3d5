// Features made small for regressions: every feature divided by its standard deviation, not
// centred, then projected on the leading right singular vectors of the rows they are fitted to.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace labelprobe::training {

struct Reduction {
  at::Tensor scales;      // [n_features] float64
  at::Tensor components;  // [n_components][n_features] float64; the largest singular value first
};

// From the rows [n_rows][n_features]. A feature that is constant but for rounding gets scale 1. The
// vectors are exact ones, of the smaller of the two Gram matrices; their signs make the largest
// entry of each positive. Beyond the rank of the rows the components are zeros.
//   n_components  from 1 to the smaller of n_rows and n_features
Reduction fit_reduction(const at::Tensor& rows, std::int64_t n_components);

// [n_rows][n_components] float64 of rows of any floating type.
at::Tensor reduce(const Reduction& reduction, const at::Tensor& rows);

}  // namespace labelprobe::training
