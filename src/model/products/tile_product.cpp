#include "model/products/tile_product.h"

#include <algorithm>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/record_function.h>

#include "labelprobe/core/error.h"

#include "model/products/dot_products.h"

namespace labelprobe::model {
namespace {

// Unpacked rows, read again while they are still in the second-level cache.
constexpr std::int64_t kTileBytes = 256 << 10;

template <typename Number>
void multiply_tiles(const at::Tensor& x,
                    const Unpack& unpack,
                    const float* bias,
                    at::Tensor& result) {
  const std::int64_t width = x.size(1);
  const std::int64_t height = result.size(1);
  const std::int64_t n_tile_rows = std::clamp<std::int64_t>(
      kTileBytes / (width * static_cast<std::int64_t>(sizeof(Number))), 1, height);
  const Rows<Number> inputs{static_cast<const Number*>(x.const_data_ptr()), x.size(0), x.stride(0)};
  auto* to = static_cast<Number*>(result.mutable_data_ptr());
  const std::int64_t n_tiles = (height + n_tile_rows - 1) / n_tile_rows;
  at::parallel_for(0, n_tiles, 1, [&](std::int64_t begin, std::int64_t end) {
    const at::Tensor scratch = at::empty({n_tile_rows, width}, x.options());
    for (std::int64_t row = begin * n_tile_rows; row < std::min(height, end * n_tile_rows);
         row += n_tile_rows) {
      const std::int64_t n_rows = std::min(n_tile_rows, height - row);
      at::Tensor tile = scratch.narrow(0, 0, n_rows);
      unpack(row, tile);
      multiply_rows(inputs,
                    Rows<Number>{static_cast<const Number*>(tile.const_data_ptr()), n_rows, width},
                    width, bias ? bias + row : nullptr, to + row, result.stride(0));
    }
  });
}

}  // namespace

void multiply_by_tiles(const at::Tensor& x,
                       const Unpack& unpack,
                       const std::optional<at::Tensor>& bias,
                       at::Tensor& result) {
  RECORD_FUNCTION("labelprobe::multiply_by_tiles", {});
  LABELPROBE_CHECK(x.scalar_type() == dot_type(x.scalar_type()) && x.stride(1) == 1);
  LABELPROBE_CHECK(result.scalar_type() == x.scalar_type() && result.stride(1) == 1);
  const at::Tensor wide = bias ? bias->to(at::kFloat).contiguous() : at::Tensor();
  const float* addends = bias ? wide.const_data_ptr<float>() : nullptr;
  if (x.scalar_type() == at::kFloat) {
    multiply_tiles<float>(x, unpack, addends, result);
  } else {
    multiply_tiles<std::uint16_t>(x, unpack, addends, result);
  }
}

}  // namespace labelprobe::model
