#include "model/products/quantized_linear.h"

#include <algorithm>
#include <utility>

#include <ATen/Context.h>
#include <ATen/Functions.h>

#include "labelprobe/core/error.h"

#include "model/products/dot_products.h"
#include "model/products/four_bit_product.h"
#include "model/products/int8_product.h"
#include "model/products/tile_product.h"
#include "weights/quantized/four_bits.h"

namespace labelprobe::model {
namespace {

// Rows of a weight in 4 bits, rounded to `type`.
void unpack_rows(const weights::QuantizedWeight& weight,
                 at::ScalarType type,
                 std::int64_t first,
                 at::Tensor& rows) {
  if (rows.scalar_type() == type) {
    weights::dequantize_rows(weight, first, rows);
    return;
  }
  at::Tensor rounded = at::empty(rows.sizes(), rows.options().dtype(type));
  weights::dequantize_rows(weight, first, rounded);
  rows.copy_(rounded);
}

// x [T, in] of the type computed in times the weight, whose elements are rounded to `type`.
void multiply_part(const at::Tensor& x,
                   const weights::QuantizedWeight& weight,
                   at::ScalarType type,
                   const std::optional<at::Tensor>& bias,
                   at::Tensor result) {
  if (weight.quantization == weights::Quantization::Int8) {
    multiply_int8(x, weight, bias, result);
  } else if (!x.is_cpu()) {
    at::Tensor dequantized = at::empty({weight.height, weight.width}, x.options());
    weights::dequantize(weight, dequantized);
    result.copy_(at::linear(x, dequantized, bias));
  } else if (x.scalar_type() == type && can_multiply_few_rows(x, weight)) {
    multiply_few_rows(x, weight, bias, result);
  } else {
    multiply_by_tiles(
        x, [&](std::int64_t first, at::Tensor& rows) { unpack_rows(weight, type, first, rows); },
        bias, result);
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
  const at::Tensor input = x.to(x.is_cpu() ? dot_type(type_) : type_).contiguous();
  at::Tensor result = at::empty({input.size(0), height_}, input.options());
  std::int64_t first = 0;
  for (const weights::QuantizedWeight& part : parts_) {
    const auto bias = bias_ ? std::optional(bias_->narrow(0, first, part.height)) : std::nullopt;
    multiply_part(input, part, type_, bias, result.narrow(1, first, part.height));
    first += part.height;
  }
  return result;
}

}  // namespace labelprobe::model
