#include "weights/packed/packed_weight.h"

#include <ATen/Functions.h>

#include "labelprobe/core/error.h"

#include "weights/packed/block_codes.h"

namespace labelprobe::weights {

std::int64_t packed_row_bytes(files::GgmlType type, std::int64_t width) {
  const auto layout = files::block_layout(type);
  LABELPROBE_CHECK(layout && width % layout->n_elements == 0);
  return width / layout->n_elements * layout->n_bytes;
}

at::Tensor packed_rows(const PackedWeight& weight, const at::Tensor& indices) {
  const at::Tensor result = at::empty({indices.size(0), weight.width}, at::kFloat);
  const at::Tensor rows = indices.contiguous();
  const auto* wanted = rows.const_data_ptr<std::int64_t>();
  float* numbers = result.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    LABELPROBE_CHECK(0 <= wanted[i] && wanted[i] < weight.height);
    dequantize_row(weight.type, weight.row(wanted[i]), weight.width, numbers + i * weight.width);
  }
  return result;
}

}  // namespace labelprobe::weights
