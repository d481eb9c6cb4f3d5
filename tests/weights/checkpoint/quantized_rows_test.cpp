// Rows of a quantised matrix against the same rows of the whole.
#include "weights/checkpoint/quantized_rows.h"

#include <ATen/ATen.h>

#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe::weights {
namespace {

Parameter matrix_of(std::int64_t height, std::int64_t width) {
  return {Role::Query, "model.layers.0.self_attn.q_proj.weight", {height, width}};
}

at::Tensor numbers(const QuantizedWeight& weight) {
  at::Tensor result = at::empty({weight.height, weight.width}, at::kFloat);
  dequantize(weight, result);
  return result;
}

}  // namespace

TEST_CASE("Rows have the numbers that they have in the whole matrix", "[unit]") {
  const Parameter matrix = matrix_of(48, 96);
  const at::Tensor exact = at::arange(48 * 96, at::kFloat).mul_(0.7391).sin_().view({48, 96});
  const RowRanges rows = {{2, 4}, {30, 18}};
  for (const Quantization mode :
       {Quantization::Fp4, Quantization::Nf4, Quantization::Nf4Double, Quantization::Int8}) {
    INFO(quantization_name(mode));
    const QuantizedWeight whole = quantize(exact, mode);
    const at::Tensor all = numbers(whole);
    const at::Tensor some = numbers(quantized_rows(matrix, whole, rows));
    CHECK(at::equal(some, at::cat({all.narrow(0, 2, 4), all.narrow(0, 30, 18)})));
  }
}

TEST_CASE("Rows that cut a block of 4-bit weights are refused by name", "[unit]") {
  const Parameter matrix = matrix_of(48, 96);
  CHECK_THROWS_WITH(check_whole_blocks(matrix, Quantization::Nf4, {{1, 2}}),
                    ContainsSubstring("self_attn.q_proj.weight") &&
                        ContainsSubstring("whole blocks of 64") &&
                        ContainsSubstring("rows 1 to 2"));
  CHECK_THROWS_AS(check_whole_blocks(matrix, Quantization::Fp4, {{0, 3}}), ModelError);
  check_whole_blocks(matrix, Quantization::Int8, {{1, 2}});
  check_whole_blocks(matrix, Quantization::Nf4, {{0, 2}, {46, 2}});
}

}  // namespace labelprobe::weights
