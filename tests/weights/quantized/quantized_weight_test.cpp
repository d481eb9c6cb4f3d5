#include "weights/quantized/quantized_weight.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"
#include "support/weight_files.h"
#include "weights/device/dtype.h"

namespace labelprobe::weights {
namespace {

nlohmann::json cases_of(const std::string& name) {
  const std::string text = support::read_file(support::fixture("model/quantized/" + name));
  return nlohmann::json::parse(text)["cases"];
}

// A tensor [elements] of the type from the bits of its elements, each a hexadecimal number.
at::Tensor tensor_of(const std::string& hex, at::ScalarType type) {
  const std::size_t n_bytes = c10::elementSize(type);
  const std::size_t n = hex.size() / (2 * n_bytes);
  at::Tensor result = at::empty({static_cast<std::int64_t>(n)}, type);
  auto* bytes = static_cast<char*>(result.mutable_data_ptr());
  for (std::size_t i = 0; i < n; ++i) {
    const unsigned long bits = std::stoul(hex.substr(i * 2 * n_bytes, 2 * n_bytes), nullptr, 16);
    std::memcpy(bytes + i * n_bytes, &bits, n_bytes);  // little-endian
  }
  return result;
}

// Equal numbers, NaN equal to NaN; the sign of zero means nothing.
void check_equal(const at::Tensor& found, const at::Tensor& expected) {
  REQUIRE(found.numel() == expected.numel());
  REQUIRE(found.scalar_type() == expected.scalar_type());
  const at::Tensor flat = found.reshape({-1});
  const at::Tensor is_equal =
      flat.eq(expected).logical_or(flat.ne(flat).logical_and(expected.ne(expected)));
  const at::Tensor different = is_equal.logical_not().nonzero();
  for (std::int64_t k = 0; k < different.size(0); ++k) {
    const std::int64_t i = different[k].item<std::int64_t>();
    INFO("element " << i << ": expected " << expected[i].item<double>() << ", found "
                    << flat[i].item<double>());
    CHECK(false);
  }
}

at::Tensor dequantized(const QuantizedWeight& weight, at::ScalarType type) {
  at::Tensor result = at::empty({weight.height, weight.width}, type);
  dequantize(weight, result);
  return result;
}

// The matrix of double.json: 300 blocks whose absmax differ.
at::Tensor matrix_of_double_case() {
  const at::Tensor i = at::arange(300 * 64, at::kLong);
  const at::Tensor numbers = i.mul(7919).remainder(2003).sub(1001);
  const at::Tensor factors = i.floor_divide(64).mul(5).remainder(17).add(1);
  return numbers.mul(factors).to(at::kFloat).div(4096).view({300, 64});
}

std::size_t bytes_of(const QuantizedWeight& weight) {
  std::size_t bytes = 0;
  for (const at::Tensor* part : {&weight.codes, &weight.absmax, &weight.absmax_codes,
                                 &weight.absmax_map, &weight.outer_absmax}) {
    if (part->defined()) bytes += part->nbytes();
  }
  return bytes;
}

}  // namespace

TEST_CASE("Quantises to the codes and absmax of bitsandbytes, and back to its bits", "[golden]") {
  for (const auto& reference : cases_of("weights.json")) {
    INFO(reference["quantization"] << ", " << reference["name"]);
    const auto quantization = parse_quantization(reference["quantization"].get<std::string>());
    const auto type = scalar_type(parse_dtype(reference["dtype"].get<std::string>()));
    const std::int64_t height = reference["height"];
    const std::int64_t width = reference["width"];
    const QuantizedWeight weight =
        quantize(tensor_of(reference["matrix"], type).view({height, width}), quantization);
    CHECK(weight.height == height);
    CHECK(weight.width == width);
    check_equal(weight.codes, tensor_of(reference["codes"], weight.codes.scalar_type()));
    check_equal(weight.absmax, tensor_of(reference["absmax"], at::kFloat));
    for (const std::string name : {"float32", "bfloat16", "float16"}) {
      if (!reference.contains(name)) continue;
      INFO("to " << name);
      const auto to = scalar_type(parse_dtype(name));
      const at::Tensor expected = tensor_of(reference[name], to);
      check_equal(dequantized(weight, to), expected);
      at::Tensor by_operators = at::empty({height, width}, to);
      dequantize_with_operators(weight, by_operators);
      check_equal(by_operators, expected);
      // From a row that need not begin a block.
      at::Tensor last_row = at::empty({1, width}, to);
      dequantize_rows(weight, height - 1, last_row);
      check_equal(last_row, expected.slice(0, (height - 1) * width));
    }
  }
}

TEST_CASE("Quantises the absmax of blocks as bitsandbytes does", "[golden]") {
  for (const auto& reference : cases_of("double.json")) {
    const QuantizedWeight weight = quantize(matrix_of_double_case(), Quantization::Nf4Double);
    CHECK_FALSE(weight.absmax.defined());
    check_equal(weight.absmax_codes, tensor_of(reference["absmax_codes"], at::kByte));
    check_equal(weight.absmax_map, tensor_of(reference["absmax_map"], at::kFloat));
    check_equal(weight.outer_absmax, tensor_of(reference["outer_absmax"], at::kFloat));
    CHECK(weight.offset == tensor_of(reference["offset"], at::kFloat).item<float>());
    const at::Tensor expected = tensor_of(reference["every_97th_element"], at::kFloat);
    check_equal(dequantized(weight, at::kFloat).view({-1}).slice(0, 0, c10::nullopt, 97), expected);
    at::Tensor by_operators = at::empty({weight.height, weight.width}, at::kFloat);
    dequantize_with_operators(weight, by_operators);
    check_equal(by_operators.view({-1}).slice(0, 0, c10::nullopt, 97), expected);
  }
}

TEST_CASE("The number of threads changes nothing of a weight quantised twice", "[unit]") {
  at::manual_seed(1);
  const at::Tensor weight = at::randn({3000, 4096});  // as many blocks as several threads would sum
  const int n_threads = at::get_num_threads();
  at::set_num_threads(1);
  const QuantizedWeight one = quantize(weight, Quantization::Nf4Double);
  at::set_num_threads(3);
  const QuantizedWeight three = quantize(weight, Quantization::Nf4Double);
  at::set_num_threads(n_threads);
  CHECK(one.offset == three.offset);
  CHECK(at::equal(one.codes, three.codes));
  CHECK(at::equal(one.absmax_codes, three.absmax_codes));
  CHECK(at::equal(one.outer_absmax, three.outer_absmax));
}

TEST_CASE("Knows the memory of a quantised matrix beforehand", "[unit]") {
  for (const Quantization quantization :
       {Quantization::Fp4, Quantization::Nf4, Quantization::Nf4Double, Quantization::Int8}) {
    for (const auto& [height, width] : {std::pair{300, 64}, {5, 27}, {1, 1}}) {
      INFO(quantization_name(quantization) << " " << height << " x " << width);
      CHECK(quantized_bytes(height, width, quantization) ==
            bytes_of(quantize(at::ones({height, width}), quantization)));
    }
  }
  CHECK(quantized_bytes(300, 64, Quantization::None) == 0);
}

TEST_CASE("A model of 70 billion parameters in 4 bits fits a GPU of 80 GB", "[unit]") {
  // Llama-3-70B: 80 layers, width 8192, 8 heads of keys and values, 28672 in the middle.
  const auto bytes_of_matrix = [](std::int64_t height, std::int64_t width) {
    return quantized_bytes(height, width, Quantization::Fp4);
  };
  const std::size_t layer = 2 * bytes_of_matrix(8192, 8192) + 2 * bytes_of_matrix(1024, 8192) +
                            3 * bytes_of_matrix(28672, 8192);
  // 855,638,016 parameters, each half a byte and a sixteenth of a float32.
  CHECK(layer == 481'296'384);
  const std::size_t embedding_and_head = 2UL * 128256 * 8192 * 4;  // in float32
  CHECK(80 * layer + embedding_and_head == 46'909'095'936);
}

TEST_CASE("Reads and writes the names of quantisations", "[unit]") {
  for (const std::string name : {"none", "fp4", "nf4", "nf4-double", "int8"}) {
    CHECK(quantization_name(parse_quantization(name)) == name);
  }
  CHECK(parse_quantization("nf4-double") == Quantization::Nf4Double);
  try {
    parse_quantization("nf5");
    FAIL("took an unknown name");
  } catch (const ConfigError& error) {
    CHECK_THAT(error.what(), Catch::Matchers::Contains("'nf5'"));
    CHECK_THAT(error.what(), Catch::Matchers::Contains("none, fp4, nf4, nf4-double, int8"));
  }
}

}  // namespace labelprobe::weights
