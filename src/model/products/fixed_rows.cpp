#include "model/products/fixed_rows.h"

#include <algorithm>
#include <vector>

#include <ATen/Functions.h>

#include "model/products/add_rows.h"

namespace labelprobe::model {

at::Tensor filled_up(const at::Tensor& rows) {
  const std::int64_t n_last = rows.size(0) % kFixedRows;
  return n_last == 0 ? rows : at::constant_pad_nd(rows, {0, 0, 0, kFixedRows - n_last});
}

at::Tensor multiply_by_fixed_rows(const Linear& weight, const at::Tensor& x) {
  std::vector<at::Tensor> runs = x.split(kFixedRows);
  runs.back() = filled_up(runs.back());
  return weight.multiply_runs(runs).narrow(0, 0, x.size(0));
}

void add_by_fixed_rows(at::Tensor& sum, const Linear& weight, const at::Tensor& x) {
  if (weight.adds_afterwards()) {
    add_rows(sum, multiply_by_fixed_rows(weight, x));
    return;
  }
  for (std::int64_t first = 0; first < x.size(0); first += kFixedRows) {
    const std::int64_t n = std::min(kFixedRows, x.size(0) - first);
    const at::Tensor place = sum.narrow(0, first, n);
    at::Tensor part = filled_up(place);
    weight.add_to(part, filled_up(x.narrow(0, first, n)));
    if (!part.is_same(place)) place.copy_(part.narrow(0, 0, n));
  }
}

}  // namespace labelprobe::model
