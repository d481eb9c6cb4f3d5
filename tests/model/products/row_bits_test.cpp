// A row of a product has the same bits whatever is multiplied with it: what shared prefixes,
// batches and resumption stand on. oneDNN promises nothing of the kind, so a libtorch that loses it
// is noticed here.
#include <cstdint>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "model/products/dot_products.h"
#include "model/products/fixed_rows.h"
#include "model/products/linear.h"
#include "support/catch.h"
#include "support/tensors.h"

namespace labelprobe::model {
namespace {

struct Shape {
  std::int64_t height;
  std::int64_t width;
};

// Those of small decoders and of large ones' parts; widths that fill registers and blocks or not.
const std::vector<Shape> kShapes = {{960, 576},  {576, 1536}, {3072, 576}, {1024, 2048},
                                    {64, 32},    {330, 130},  {48, 24},    {259, 33},
                                    {256, 4096}, {5000, 192}};

const std::vector<std::int64_t> kRows = {1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 17, 31, 33, 64, 65, 127};
// With more threads, which take their time on few cores.
const std::vector<std::int64_t> kFewRows = {1, 2, 7, 33, 127};

void check_rows(const Linear& linear, const at::Tensor& x, std::int64_t height) {
  at::set_num_threads(2);
  const at::Tensor together = linear(x);
  at::Tensor added = at::ones({x.size(0), height});
  linear.add_to(added, x);
  for (const int n_threads : {1, 2, 3, 8}) {
    at::set_num_threads(n_threads);
    for (const std::int64_t n : n_threads <= 2 ? kRows : kFewRows) {
      // From different places: a row's own place among the others says nothing either.
      const std::int64_t first = (x.size(0) - n) / 2;
      INFO(n << " rows, " << n_threads << " threads");
      CHECK(at::equal(linear(x.narrow(0, first, n)), together.narrow(0, first, n)));
      at::Tensor sum = at::ones({n, height});
      linear.add_to(sum, x.narrow(0, first, n));
      CHECK(at::equal(sum, added.narrow(0, first, n)));
    }
  }
  at::set_num_threads(2);
}

}  // namespace

TEST_CASE("A row's product has the same bits in any company", "[unit]") {
  at::manual_seed(2);
  const at::ScalarType type = GENERATE(at::kFloat, at::kBFloat16, at::kHalf);
  const bool has_bias = GENERATE(false, true);
  for (const auto& [height, width] : kShapes) {
    INFO(type << ", " << height << " x " << width << ", bias " << has_bias);
    const at::Tensor weight = at::randn({height, width}).to(type);
    const auto bias = has_bias ? std::optional(at::randn({height}).to(type)) : std::nullopt;
    check_rows(Linear(weight, bias), at::randn({200, width}), height);
  }
}

TEST_CASE("A row's product with a weight in 4 bits has the same bits in any company", "[unit]") {
  at::manual_seed(3);
  const at::ScalarType type = GENERATE(at::kFloat, at::kBFloat16, at::kHalf);
  for (const weights::Quantization quantization :
       {weights::Quantization::Fp4, weights::Quantization::Nf4, weights::Quantization::Nf4Double}) {
    for (const auto& [height, width] : kShapes) {
      INFO(weights::quantization_name(quantization)
           << ", " << type << ", " << height << " x " << width);
      const Linear linear({weights::quantize(at::randn({height, width}).to(type), quantization)},
                          type, at::randn({height}).to(type));
      check_rows(linear, at::randn({200, width}), height);
    }
  }
}

TEST_CASE("Products of fixed rows are products", "[unit]") {
  // As a GPU computes them, with fewer rows than one product has, as many, and more.
  at::manual_seed(5);
  const std::int64_t n_rows = GENERATE(1, 255, 256, 257, 600);
  const at::Tensor weight = at::randn({96, 64});
  const at::Tensor bias = at::randn({96});
  const at::Tensor x = at::randn({n_rows, 64});
  for (const Linear& linear :
       {Linear(weight, bias), Linear(weight),
        Linear({weights::quantize(weight, weights::Quantization::Fp4)}, at::kFloat, bias)}) {
    CHECK(at::equal(multiply_by_fixed_rows(linear, x), linear(x)));
    const at::Tensor before = at::randn({n_rows, 96});
    at::Tensor expected = before.clone();
    linear.add_to(expected, x);
    at::Tensor sum = before.clone();
    add_by_fixed_rows(sum, linear, x);
    CHECK(at::equal(sum, expected));
  }
}

TEST_CASE("Dot products are those of float64, by the code of any processor", "[unit]") {
  at::manual_seed(4);
  const std::int64_t width = GENERATE(1, 15, 16, 17, 33, 64, 600, 1700);
  const std::int64_t n_rows = GENERATE(1, 4, 9, 70);
  const at::Tensor x = at::randn({n_rows, width});
  const at::Tensor weight = at::randn({7, width});
  const at::Tensor bias = at::randn({7});
  const at::Tensor expected =
      at::linear(x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble));
  for (const auto multiply :
       {static_cast<decltype(&multiply_rows_plainly)>(&multiply_rows), &multiply_rows_plainly}) {
    at::Tensor result = at::full({n_rows, 9}, 5.0F);
    multiply({x.const_data_ptr<float>(), n_rows, width}, {weight.const_data_ptr<float>(), 7, width},
             width, bias.const_data_ptr<float>(), result.mutable_data_ptr<float>(), 9);
    CHECK(support::largest_share(result.narrow(1, 0, 7), expected) < 2e-6);
    CHECK(result.narrow(1, 7, 2).eq(5).all().item<bool>());  // beside it nothing is written
  }
  if (dot_type(at::kBFloat16) != at::kBFloat16) return;
  const at::Tensor half_x = x.to(at::kBFloat16);
  const at::Tensor half_weight = weight.to(at::kBFloat16);
  at::Tensor result = at::empty({n_rows, 7}, at::kBFloat16);
  const auto bits = [](const at::Tensor& numbers) {
    return static_cast<const std::uint16_t*>(numbers.const_data_ptr());
  };
  multiply_rows({bits(half_x), n_rows, width}, {bits(half_weight), 7, width}, width,
                bias.const_data_ptr<float>(),
                static_cast<std::uint16_t*>(result.mutable_data_ptr()), 7);
  const at::Tensor expected_half =
      at::linear(half_x.to(at::kDouble), half_weight.to(at::kDouble), bias.to(at::kDouble));
  CHECK(support::largest_share(result, expected_half) <= 1.0 / 256);
}

}  // namespace labelprobe::model
