#include "training/probes/reduction.h"

#include <algorithm>
#include <limits>

#include <ATen/ATen.h>

#include "labelprobe/core/error.h"

#include "training/probes/row_products.h"

namespace labelprobe::training {

namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr std::int64_t kRowsAtOnce = 4096;  // what is kept in double precision at a time

// As scikit-learn's StandardScaler(with_mean=False) finds them.
at::Tensor find_scales(const at::Tensor& rows) {
  const auto n = static_cast<double>(rows.size(0));
  const at::Tensor variances = rows.var(0, /*unbiased=*/false);
  // What rounding alone can make of the variance of a constant.
  const at::Tensor bounds = variances * (n * kEpsilon) + (rows.mean(0) * (n * kEpsilon)).square();
  return at::where(variances <= bounds, at::ones_like(variances), variances.sqrt());
}

// Right singular vectors [n_components][n_features], from the eigenvectors of the Gram matrix of
// features or of rows.
at::Tensor find_components(const at::Tensor& rows, std::int64_t n_components) {
  const bool is_by_features = rows.size(1) <= rows.size(0);
  const at::Tensor gram = lower_products(is_by_features ? rows.t() : rows);
  const auto [squares, vectors] = at::linalg_eigh(gram, "L");  // in rising order
  const std::int64_t n = squares.size(0);
  const at::Tensor largest = squares.narrow(0, n - n_components, n_components).flip(0);
  const at::Tensor leading = vectors.narrow(1, n - n_components, n_components).flip(1);
  const at::Tensor components = is_by_features ? leading.t() : at::mm(leading.t(), rows);
  // Rounding makes eigenvalues of this size out of zeros.
  const double least = largest[0].item<double>() * kEpsilon *
                       static_cast<double>(std::max(rows.size(0), rows.size(1)));
  const at::Tensor lengths = components.norm(2, {1}, /*keepdim=*/true);
  const at::Tensor is_there = (largest > least).unsqueeze(1);
  return at::where(is_there, components / lengths, at::zeros_like(components));
}

at::Tensor with_fixed_signs(const at::Tensor& components) {
  const at::Tensor places = components.abs().argmax(1, /*keepdim=*/true);
  const at::Tensor signs = components.gather(1, places).sign();
  return components * signs;
}

}  // namespace

Reduction fit_reduction(const at::Tensor& rows, std::int64_t n_components) {
  LABELPROBE_CHECK(n_components >= 1 && n_components <= std::min(rows.size(0), rows.size(1)));
  at::Tensor scaled = rows.to(at::kDouble, /*non_blocking=*/false, /*copy=*/true);
  const at::Tensor scales = find_scales(scaled);
  scaled.div_(scales);
  return {scales, with_fixed_signs(find_components(scaled, n_components)).contiguous()};
}

at::Tensor reduce(const Reduction& reduction, const at::Tensor& rows) {
  at::Tensor reduced =
      at::empty({rows.size(0), reduction.components.size(0)}, reduction.components.options());
  for (std::int64_t first = 0; first < rows.size(0); first += kRowsAtOnce) {
    const std::int64_t n = std::min(kRowsAtOnce, rows.size(0) - first);
    const at::Tensor scaled = rows.narrow(0, first, n).to(at::kDouble) / reduction.scales;
    reduced.narrow(0, first, n).copy_(at::mm(scaled, reduction.components.t()));
  }
  return reduced;
}

}  // namespace labelprobe::training
