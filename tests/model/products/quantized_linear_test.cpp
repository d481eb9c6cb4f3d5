#include <algorithm>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "model/products/dot_products.h"
#include "model/products/linear.h"
#include "support/catch.h"
#include "support/paths.h"
#include "support/tensors.h"
#include "support/weight_files.h"
#include "weights/device/dtype.h"

namespace labelprobe::model {
namespace {

// The layer and the input of products.json, exact in bfloat16.
at::Tensor weight_of_products() {
  const at::Tensor i = at::arange(24, at::kLong).unsqueeze(1);
  const at::Tensor j = at::arange(128, at::kLong);
  return (i * 31 + j * 17).remainder(257).sub(128).to(at::kFloat).div(1024);
}

at::Tensor bias_of_products() {
  return at::arange(24, at::kLong).mul(5).remainder(11).sub(5).to(at::kFloat).div(4);
}

at::Tensor input_of_products(std::int64_t n_rows) {
  const at::Tensor t = at::arange(9, at::kLong).unsqueeze(1);
  const at::Tensor j = at::arange(128, at::kLong);
  at::Tensor x = (t * 13 + j * 7).remainder(61).sub(30).to(at::kFloat).div(16);
  x[0][7] = 7.5;  // outliers of LLM.int8
  x[4][100] = -6.0;
  return x.slice(0, 0, n_rows);
}

// Sums in another order; bfloat16 keeps 8 bits.
double tolerance_of(at::ScalarType type) {
  return type == at::kFloat ? 2e-6 : 1.0 / 128;
}

}  // namespace

TEST_CASE("Multiplies with quantised weights as bitsandbytes' layers do", "[golden]") {
  const auto fixture =
      nlohmann::json::parse(support::read_file(support::fixture("model/quantized/products.json")));
  for (const auto& reference : fixture["cases"]) {
    const auto quantization =
        weights::parse_quantization(reference["quantization"].get<std::string>());
    const auto type =
        weights::scalar_type(weights::parse_dtype(reference["dtype"].get<std::string>()));
    const std::int64_t n_rows = reference["n_rows"];
    INFO(reference["quantization"] << ", " << reference["dtype"] << ", " << n_rows << " rows");
    const Linear linear({weights::quantize(weight_of_products().to(type), quantization)}, type,
                        bias_of_products().to(type));
    const std::vector<double> numbers = reference["product"];
    const at::Tensor expected = at::tensor(numbers, at::kDouble).view({n_rows, 24});
    const at::Tensor found = linear(input_of_products(n_rows));
    CHECK(found.scalar_type() == dot_type(type));  // float32 where processors do not multiply it
    CHECK(support::largest_share(found, expected) <= tolerance_of(type));

    at::Tensor sum = at::ones({n_rows, 24});
    linear.add_to(sum, input_of_products(n_rows));
    CHECK(support::largest_share(sum, expected + 1) <= tolerance_of(type));
  }
}

TEST_CASE("Multiplies quantised weights one below the other like one by one", "[unit]") {
  // The second of the three begins and ends within a block where the width is 100.
  const at::Tensor whole = weight_of_products();
  for (const weights::Quantization quantization :
       {weights::Quantization::Fp4, weights::Quantization::Nf4Double,
        weights::Quantization::Int8}) {
    for (const std::int64_t width : {128, 100}) {
      for (const std::int64_t n_rows : {1, 9}) {
        INFO(weights::quantization_name(quantization)
             << ", " << width << " columns, " << n_rows << " rows");
        const at::Tensor x = input_of_products(n_rows).slice(1, 0, width);
        const at::Tensor bias = bias_of_products();
        std::vector<weights::QuantizedWeight> weights;
        std::vector<at::Tensor> expected;
        std::int64_t row = 0;
        for (const std::int64_t height : {8, 1, 15}) {
          const at::Tensor matrix = whole.slice(0, row, row + height).slice(1, 0, width);
          weights.push_back(weights::quantize(matrix.contiguous(), quantization));
          const Linear alone({weights.back()}, at::kFloat, bias.slice(0, row, row + height));
          expected.push_back(alone(x));
          row += height;
        }
        const Linear together(weights, at::kFloat, bias);
        CHECK(support::largest_share(together(x), at::cat(expected, 1)) <=
              tolerance_of(at::kFloat));
      }
    }
  }
}

TEST_CASE("Sums of the largest 8-bit codes are exact", "[unit]") {
  // Pairs of such products overflow 16 bits, three thousand of them what float32 holds exactly.
  const std::int64_t width = GENERATE(64, 1024, 3001);
  const at::Tensor signs = at::tensor({1.0, -1.0, 1.0}, at::kFloat).unsqueeze(1);
  const Linear linear(
      {weights::quantize((signs * at::ones({3, width})).contiguous(), weights::Quantization::Int8)},
      at::kFloat, {});
  at::Tensor x = at::ones({2, width});
  x[1].neg_();
  const at::Tensor expected = at::tensor({1.0, -1.0, 1.0, -1.0, 1.0, -1.0}).view({2, 3}) * width;
  // The reference's 1 / 127^2 is 1.8e-5 too large.
  CHECK(support::largest_share(linear(x), expected) <= 2e-5);
}

TEST_CASE("Multiplies large quantised weights tile by tile", "[unit]") {
  // Three tiles and a few rows, of rows that begin within blocks.
  const std::int64_t width = 1000;
  const at::Tensor numbers =
      at::arange(1600 * width, at::kLong).mul(7919).remainder(2003).sub(1001);
  const at::Tensor matrix = numbers.to(at::kFloat).div(4096).view({1600, width});
  const at::Tensor x =
      at::arange(9 * width, at::kLong).remainder(101).sub(50).to(at::kFloat).view({9, width});
  const weights::QuantizedWeight weight = weights::quantize(matrix, weights::Quantization::Nf4);
  at::Tensor dequantized = at::empty({1600, width});
  weights::dequantize_with_operators(weight, dequantized);
  const Linear linear({weight}, at::kFloat);
  const at::Tensor expected = x.to(at::kDouble).mm(dequantized.to(at::kDouble).t());
  CHECK(support::largest_share(linear(x), expected) <= tolerance_of(at::kFloat));
}

}  // namespace labelprobe::model
