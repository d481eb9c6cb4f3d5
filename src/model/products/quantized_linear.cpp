#include "model/products/quantized_linear.h"

#include <algorithm>
#include <utility>

#include <ATen/Context.h>
#include <ATen/Functions.h>

#include "labelprobe/core/error.h"

#include "model/products/four_bit_product.h"
#include "model/products/int8_product.h"
#include "model/products/linear.h"
#include "weights/quantized/four_bits.h"

namespace labelprobe::model {
namespace {

// A dequantised tile: read again while it is still in the second-level cache.
constexpr std::int64_t kTileBytes = 2 << 20;

// x [T, in] times a weight in 4 bits, into `result` [T, height].
void multiply_tiles(const at::Tensor& x,
                    const weights::QuantizedWeight& weight,
                    const std::optional<at::Tensor>& bias,
                    at::Tensor result) {
  const std::int64_t row_bytes = weight.width * static_cast<std::int64_t>(x.element_size());
  const std::int64_t n_tile_rows =
      std::clamp<std::int64_t>(kTileBytes / row_bytes, 1, weight.height);
  const at::Tensor scratch = at::empty({n_tile_rows, weight.width}, x.options());
  for (std::int64_t row = 0; row < weight.height; row += n_tile_rows) {
    const std::int64_t n_rows = std::min(n_tile_rows, weight.height - row);
    at::Tensor tile = scratch.narrow(0, 0, n_rows);
    weights::dequantize_rows(weight, row, tile);
    const auto tile_bias = bias ? std::optional(bias->narrow(0, row, n_rows)) : std::nullopt;
    result.narrow(1, row, n_rows).copy_(multiply(x, tile, tile_bias));
  }
}

void multiply_part(const at::Tensor& x,
                   const weights::QuantizedWeight& weight,
                   const std::optional<at::Tensor>& bias,
                   at::Tensor result) {
  if (weight.quantization == weights::Quantization::Int8) {
    multiply_int8(x, weight, bias, result);
  } else if (!x.is_cpu()) {
    at::Tensor dequantized = at::empty({weight.height, weight.width}, x.options());
    weights::dequantize(weight, dequantized);
    result.copy_(multiply(x, dequantized, bias));
  } else if (can_multiply_few_rows(x, weight)) {
    multiply_few_rows(x, weight, result);
    if (bias) result.add_(*bias);
  } else {
    multiply_tiles(x, weight, bias, result);
  }
}

// Whether the rows of `lower` may follow those of `upper` in one weight: no block holds both.
bool can_join(const weights::QuantizedWeight& upper, const weights::QuantizedWeight& lower) {
  return upper.quantization == lower.quantization && upper.absmax.defined() &&
         (upper.quantization == weights::Quantization::Int8 ||
          upper.height * upper.width % weights::kFourBitBlock == 0);
}

weights::QuantizedWeight joined(const weights::QuantizedWeight& upper,
                                const weights::QuantizedWeight& lower) {
  weights::QuantizedWeight result = upper;
  result.height += lower.height;
  result.codes = at::cat({upper.codes, lower.codes});
  result.absmax = at::cat({upper.absmax, lower.absmax});
  return result;
}

}  // namespace

int n_few_rows(at::ScalarType type, c10::Device device) {
  if (!device.is_cpu()) return 0;
  weights::QuantizedWeight weight;
  weight.width = weights::kFourBitBlock;
  int n = 0;
  while (can_multiply_few_rows(at::empty({n + 1, weights::kFourBitBlock}, type), weight)) ++n;
  return n;
}

std::string_view int8_library(c10::Device device) {
  if (!device.is_cpu()) return "cuBLASLt";
  if (!multiplies_int8_exactly()) return "float32 products for";
  return at::globalContext().hasMKLDNN() ? "oneDNN" : "libtorch";
}

QuantizedLinear::QuantizedLinear(std::vector<weights::QuantizedWeight> weights,
                                 at::ScalarType type,
                                 std::optional<at::Tensor> bias)
    : bias_(std::move(bias)), type_(type) {
  LABELPROBE_CHECK(!weights.empty());
  for (weights::QuantizedWeight& weight : weights) {
    LABELPROBE_CHECK(weight.width == weights.front().width);
    height_ += weight.height;
    if (!parts_.empty() && can_join(parts_.back(), weight)) {
      parts_.back() = joined(parts_.back(), weight);
    } else {
      parts_.push_back(std::move(weight));
    }
  }
}

at::Tensor QuantizedLinear::operator()(const at::Tensor& x) const {
  const at::Tensor input = x.to(type_).contiguous();
  at::Tensor result = at::empty({input.size(0), height_}, input.options());
  std::int64_t first = 0;
  for (const weights::QuantizedWeight& part : parts_) {
    const auto bias = bias_ ? std::optional(bias_->narrow(0, first, part.height)) : std::nullopt;
    multiply_part(input, part, bias, result.narrow(1, first, part.height));
    first += part.height;
  }
  return result;
}

}  // namespace labelprobe::model
