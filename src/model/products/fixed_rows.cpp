#include "model/products/fixed_rows.h"

#include <algorithm>
#include <vector>

#include <ATen/Functions.h>

namespace labelprobe::model {
namespace {

at::Tensor filled_up(const at::Tensor& rows) {
  const std::int64_t n = rows.size(0);
  return n == kFixedRows ? rows : at::constant_pad_nd(rows, {0, 0, 0, kFixedRows - n});
}

}  // namespace

at::Tensor multiply_by_fixed_rows(const Linear& weight, const at::Tensor& x) {
  std::vector<at::Tensor> parts;
  for (const at::Tensor& rows : x.split(kFixedRows)) {
    parts.push_back(weight(filled_up(rows)).narrow(0, 0, rows.size(0)));
  }
  return parts.size() == 1 ? parts.front() : at::cat(parts);
}

void add_by_fixed_rows(at::Tensor& sum, const Linear& weight, const at::Tensor& x) {
  for (std::int64_t first = 0; first < x.size(0); first += kFixedRows) {
    const std::int64_t n = std::min(kFixedRows, x.size(0) - first);
    const at::Tensor place = sum.narrow(0, first, n);
    at::Tensor part = filled_up(place);
    weight.add_to(part, filled_up(x.narrow(0, first, n)));
    if (!part.is_same(place)) place.copy_(part.narrow(0, 0, n));
  }
}

}  // namespace labelprobe::model
