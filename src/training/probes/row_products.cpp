#include "training/probes/row_products.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace labelprobe::training {

at::Tensor lower_products(const at::Tensor& rows) {
  constexpr std::int64_t kBlock = 1024;
  const std::int64_t n_rows = rows.size(0);
  at::Tensor products = at::empty({n_rows, n_rows}, rows.options());
  for (std::int64_t first = 0; first < n_rows; first += kBlock) {
    const std::int64_t n = std::min(kBlock, n_rows - first);
    at::Tensor part = products.narrow(0, first, n).narrow(1, 0, first + n);
    at::mm_out(part, rows.narrow(0, first, n), rows.narrow(0, 0, first + n).t());
  }
  return products;
}

}  // namespace labelprobe::training
