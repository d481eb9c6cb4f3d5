#include "weights/checkpoint/staging.h"

#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "support/catch.h"
#include "support/paths.h"
#include "weights/checkpoint/load_config.h"
#include "weights/checkpoint/quantized_tensors.h"
#include "weights/checkpoint/safetensors.h"

namespace labelprobe::weights {
namespace {

// The first row and the number of rows of every part.
using Parts = std::vector<std::pair<std::int64_t, std::int64_t>>;

Parts send(Staging& staging, const at::Tensor& from, const at::Tensor& target) {
  Parts parts;
  staging.send(target, [&](std::int64_t first_row, const at::Tensor& rows) {
    CHECK(rows.is_contiguous());
    parts.emplace_back(first_row, rows.size(0));
    rows.copy_(from.narrow(0, first_row, rows.size(0)));
  });
  return parts;
}

}  // namespace

TEST_CASE("On the CPU rows are written in place", "[unit]") {
  const at::Tensor from = at::rand({7, 5});
  const at::Tensor target = at::zeros({9, 5});
  Staging staging(at::kCPU);
  CHECK(send(staging, from, target.narrow(0, 1, 7)) == Parts{{0, 7}});
  CHECK(target.narrow(0, 1, 7).equal(from));
  CHECK(target[0].equal(at::zeros({5})));
  CHECK(target[8].equal(at::zeros({5})));
}

TEST_CASE("Through buffers every row arrives once", "[unit]") {
  Staging staging(at::kCPU, /*buffer_bytes=*/48);
  const at::Tensor from = at::rand({7, 5});
  const at::Tensor target = at::zeros({7, 5});
  CHECK(send(staging, from, target) == Parts{{0, 2}, {2, 2}, {4, 2}, {6, 1}});
  CHECK(target.equal(from));
  // One row may be wider than a buffer, and types may change.
  const at::Tensor wide = at::rand({3, 40}).to(at::kBFloat16);
  const at::Tensor wide_target = at::zeros({3, 40}, at::kBFloat16);
  CHECK(send(staging, wide, wide_target) == Parts{{0, 1}, {1, 1}, {2, 1}});
  CHECK(wide_target.equal(wide));
  CHECK(send(staging, at::zeros({0, 4}), at::zeros({0, 4})).empty());
}

TEST_CASE("Quantised matrices come through buffers as they are stored", "[unit]") {
  const auto [name, quantization] =
      GENERATE(table<std::string, Quantization>({{"fp4", Quantization::Fp4},
                                                 {"nf4_double", Quantization::Nf4Double},
                                                 {"int8", Quantization::Int8}}));
  INFO(name);
  const auto folder = support::fixture("model/bitsandbytes/" + name);
  const auto file = files::SafetensorsFile::open(folder / "model.safetensors", ErrorKind::Model);
  TensorMap tensors;
  for (const StoredTensor& tensor : stored_tensors(file)) tensors[tensor.name] = tensor;
  Staging staging(at::kCPU, /*buffer_bytes=*/48);
  Staging in_place(at::kCPU);
  int n_matrices = 0;
  for (const Parameter& parameter : parameters_of(load_config(folder))) {
    if (!is_stored_quantized(tensors, parameter, quantization)) continue;
    INFO(parameter.name);
    ++n_matrices;
    const QuantizedWeight found = load_quantized(tensors, parameter, quantization, staging);
    const QuantizedWeight expected = load_quantized(tensors, parameter, quantization, in_place);
    const auto bytes = [](const at::Tensor& part) {
      return std::string(static_cast<const char*>(part.const_data_ptr()), part.nbytes());
    };
    const StoredTensor& codes = tensors.at(parameter.name);
    CHECK(bytes(found.codes) ==
          std::string(reinterpret_cast<const char*>(codes.bytes.data()), codes.bytes.size()));
    at::Tensor found_numbers = at::empty(parameter.shape);
    at::Tensor expected_numbers = at::empty(parameter.shape);
    dequantize(found, found_numbers);
    dequantize(expected, expected_numbers);
    CHECK(found_numbers.equal(expected_numbers));
  }
  CHECK(n_matrices > 0);
}

}  // namespace labelprobe::weights
