#include "model/products/packed_product.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include <ATen/ATen.h>

#include "model/products/packed_linear.h"
#include "support/catch.h"
#include "weights/packed/block_codes.h"

namespace labelprobe::model {
namespace {

using files::GgmlType;

// Random blocks, all scales of which are numbers of a usual size.
weights::PackedWeight random_weight(GgmlType type, std::int64_t height, std::int64_t width) {
  const auto layout = *files::block_layout(type);
  const at::Tensor blocks =
      at::randint(0, 256, {height, weights::packed_row_bytes(type, width)}, at::kByte);
  const at::Tensor each = blocks.view({-1, layout.n_bytes});
  const auto set_half = [&](std::int64_t place) {
    each.select(1, place).fill_(0x12);
    each.select(1, place + 1).bitwise_and_(0x83).bitwise_or_(0x24);  // +-0.015 to 0.03
  };
  if (type == GgmlType::Q6_K) {
    set_half(208);
  } else if (type == GgmlType::Q2_K) {
    set_half(80);
    set_half(82);
  } else {
    set_half(0);
    if (type == GgmlType::Q4_1 || type == GgmlType::Q4_K) set_half(2);
  }
  return {type, height, width, blocks};
}

at::Tensor numbers_of(const weights::PackedWeight& weight) {
  return weights::packed_rows(weight, at::arange(weight.height, at::kLong));
}

at::Tensor product(const at::Tensor& x,
                   const weights::PackedWeight& weight,
                   const std::optional<at::Tensor>& bias = {}) {
  at::Tensor result = at::empty({x.size(0), weight.height}, at::kFloat);
  multiply_packed(RoundedRows(x), weight, bias, result);
  return result;
}

}  // namespace

TEST_CASE("Products with packed weights are those of the weights' numbers", "[unit]") {
  at::manual_seed(1);
  for (const GgmlType type : {GgmlType::Q4_0, GgmlType::Q4_1, GgmlType::Q8_0, GgmlType::Q2_K,
                              GgmlType::Q4_K, GgmlType::Q6_K, GgmlType::IQ2_XS, GgmlType::IQ4_NL}) {
    for (const auto& [height, width] : {std::pair{70, 256}, std::pair{33, 4352}}) {
      const weights::PackedWeight weight = random_weight(type, height, width);
      const at::Tensor numbers = numbers_of(weight).to(at::kDouble);
      REQUIRE(numbers.isfinite().all().item<bool>());
      const at::Tensor bias = at::randn({height});
      for (const std::int64_t n_rows : {1, 7, 19}) {
        INFO(files::ggml_type_name(static_cast<std::uint32_t>(type)) << " " << n_rows << " rows");
        const at::Tensor x = at::randn({n_rows, width}) * at::randn({n_rows, 1}).exp();
        const at::Tensor found = product(x, weight, bias).to(at::kDouble);
        const at::Tensor size = x.abs().to(at::kDouble).matmul(numbers.abs().t());
        // As exact as sums in float32 are.
        const at::Tensor exact = x.to(at::kDouble).matmul(numbers.t()) + bias;
        CHECK(((found - exact).abs() / size).max().item<double>() < 1e-6);
      }
    }
  }
}

TEST_CASE("A row's product with packed weights has the same bits in any company", "[unit]") {
  at::manual_seed(2);
  const weights::PackedWeight weight = random_weight(GgmlType::Q4_K, 45, 512);
  const at::Tensor x = at::randn({21, 512});
  const at::Tensor together = product(x, weight);
  for (const std::int64_t n : {1, 2, 8, 13}) {
    CHECK(at::equal(product(x.narrow(0, 21 - n, n), weight), together.narrow(0, 21 - n, n)));
  }
}

TEST_CASE("The processor's instructions multiply packed weights as plain code does", "[unit]") {
  at::manual_seed(6);
  for (const GgmlType type : {GgmlType::Q4_1, GgmlType::Q8_0, GgmlType::Q2_K, GgmlType::Q6_K}) {
    const weights::PackedWeight weight = random_weight(type, 45, 512);
    const RoundedRows rounded(at::randn({11, 512}));
    at::Tensor best = at::empty({11, 45}, at::kFloat);
    at::Tensor plain = at::empty({11, 45}, at::kFloat);
    multiply_packed(rounded, weight, {}, best);
    multiply_packed(rounded, weight, {}, plain, Into::Result, Code::Plain);
    INFO(files::ggml_type_name(static_cast<std::uint32_t>(type)));
    CHECK(at::equal(best, plain));
  }
}

TEST_CASE("Numbers too large or too small for whole numbers stay what they are", "[unit]") {
  at::manual_seed(3);
  const weights::PackedWeight weight = random_weight(GgmlType::Q8_0, 8, 64);
  at::Tensor x = at::zeros({3, 64});
  x[0][5] = std::numeric_limits<float>::infinity();
  x[1][40] = 1e-38F;
  x[2][3] = 1e30F;
  const at::Tensor found = product(x, weight);
  CHECK(found[0].isnan().all().item<bool>());
  CHECK(at::equal(found[1], at::zeros({8})));
  CHECK(found[2].isfinite().all().item<bool>());
}

TEST_CASE("Packed weights of several types are multiplied as one", "[unit]") {
  at::manual_seed(4);
  const weights::PackedWeight upper = random_weight(GgmlType::Q4_K, 40, 256);
  const weights::PackedWeight lower = random_weight(GgmlType::Q6_K, 24, 256);
  const at::Tensor bias = at::randn({64});
  const at::Tensor x = at::randn({5, 256});
  const at::Tensor found = PackedLinear({upper, lower}, at::kFloat, bias)(x);
  CHECK(at::equal(found, at::cat({product(x, upper, bias.narrow(0, 0, 40)),
                                  product(x, lower, bias.narrow(0, 40, 24))},
                                 1)));
}

}  // namespace labelprobe::model
