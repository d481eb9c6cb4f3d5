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

// All of a weight in 4 bits, as numbers like those of x.
at::Tensor unpacked(const weights::QuantizedWeight& weight, const at::Tensor& x) {
  at::Tensor numbers = at::empty({weight.height, weight.width}, x.options());
  weights::dequantize(weight, numbers);
  return numbers;
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
    result.copy_(at::linear(x, unpacked(weight, x), bias));
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
    multiply_part(input, part, type_, bias_of(first, part.height),
                  result.narrow(1, first, part.height));
    first += part.height;
  }
  return result;
}

at::Tensor QuantizedLinear::multiply_runs(std::span<const at::Tensor> xs) const {
  const at::Tensor& any = xs.front();
  std::int64_t n_rows = 0;
  for (const at::Tensor& x : xs) n_rows += x.size(0);
  at::Tensor result =
      at::empty({n_rows, height_}, any.options().dtype(any.is_cpu() ? dot_type(type_) : type_));
  std::int64_t first = 0;
  for (const weights::QuantizedWeight& part : parts_) {
    const auto bias = bias_of(first, part.height);
    const bool is_unpacked = !result.is_cpu() && part.quantization != weights::Quantization::Int8;
    const at::Tensor numbers = is_unpacked ? unpacked(part, result) : at::Tensor();
    std::int64_t row = 0;
    for (const at::Tensor& x : xs) {
      const at::Tensor input = x.to(result.scalar_type()).contiguous();
      at::Tensor place = result.narrow(0, row, x.size(0)).narrow(1, first, part.height);
      if (is_unpacked) {
        place.copy_(at::linear(input, numbers, bias));
      } else {
        multiply_part(input, part, type_, bias, place);
      }
      row += x.size(0);
    }
    first += part.height;
  }
  return result;
}

std::optional<at::Tensor> QuantizedLinear::bias_of(std::int64_t first, std::int64_t height) const {
  return bias_ ? std::optional(bias_->narrow(0, first, height)) : std::nullopt;
}

}  // namespace labelprobe::model
