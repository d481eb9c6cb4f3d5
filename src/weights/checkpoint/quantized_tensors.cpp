#include "weights/checkpoint/quantized_tensors.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/json.h"

#include "weights/checkpoint/quantized_rows.h"
#include "weights/checkpoint/tensor_loading.h"
#include "weights/device/dtype.h"
#include "weights/quantized/four_bits.h"

namespace labelprobe::weights {
namespace {

constexpr std::int64_t kBlock = 64;         // elements that share an absmax
constexpr std::int64_t kNestedBlock = 256;  // absmax codes that share an outer absmax
constexpr std::int64_t kNestedCodes = 256;
constexpr std::int64_t kFourBitCodes = 16;
// Files hold the codes' meanings with the rounding of whoever wrote them.
constexpr float kMapTolerance = 1e-6F;

bool is_four_bits(Quantization quantization) {
  return quantization == Quantization::Fp4 || quantization == Quantization::Nf4 ||
         quantization == Quantization::Nf4Double;
}

// "fp4", as bitsandbytes says it.
std::string_view quant_type(Quantization quantization) {
  return quantization == Quantization::Fp4 ? "fp4" : "nf4";
}

std::int64_t n_blocks(std::int64_t n_elements, std::int64_t block) {
  return (n_elements + block - 1) / block;
}

// The name in front of "weight", its dot included.
std::string_view module_of(std::string_view name) {
  return name.substr(0, name.size() - std::string_view("weight").size());
}

const StoredTensor& find(const TensorMap& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  LABELPROBE_CHECK(found != tensors.end());
  return found->second;
}

[[noreturn]] void fail(const StoredTensor& tensor,
                       const std::string& expected,
                       const std::string& found) {
  throw ModelError(fmt::format("{}: tensor {}: expected {}, found {}", tensor.file.string(),
                               tensor.name, expected, found));
}

void check_form(const StoredTensor& tensor,
                const std::string& type_name,
                std::span<const std::int64_t> shape) {
  if (tensor.type_name != type_name ||
      !std::equal(tensor.shape.begin(), tensor.shape.end(), shape.begin(), shape.end())) {
    fail(tensor, fmt::format("{} {}", type_name, files::describe_shape(shape)),
         fmt::format("{} {}", tensor.type_name, files::describe_shape(tensor.shape)));
  }
}

std::vector<float> numbers_of(const StoredTensor& tensor) {
  std::vector<float> numbers(tensor.bytes.size() / sizeof(float));
  std::memcpy(numbers.data(), tensor.bytes.data(), numbers.size() * sizeof(float));
  return numbers;
}

// The JSON text beside 4-bit codes.
class QuantState {
 public:
  explicit QuantState(const StoredTensor& tensor)
      : reader_(files::parse_json(
            {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()},
            {fmt::format("{}: tensor {}", tensor.file.string(), tensor.name), ErrorKind::Model})) {}

  void check(std::span<const std::int64_t> shape, Quantization quantization) const {
    if (reader_.at("quant_type").string() != quant_type(quantization)) {
      reader_.at("quant_type")
          .fail_expected(fmt::format("{}, as config.json's quantization_config says",
                                     quant_type(quantization)));
    }
    reader_.at("blocksize").integer(kBlock, kBlock);
    if (reader_.at("shape").value() != nlohmann::json(std::vector(shape.begin(), shape.end()))) {
      reader_.at("shape").fail_expected(files::describe_shape(shape));
    }
    if (quantization == Quantization::Nf4Double) {
      reader_.at("nested_blocksize").integer(kNestedBlock, kNestedBlock);
      if (reader_.at("nested_dtype").string() != "float32") {
        reader_.at("nested_dtype").fail_expected("float32");
      }
      offset();
    }
  }

  float offset() const { return static_cast<float>(reader_.at("nested_offset").number()); }

 private:
  files::JsonView reader_;
};

std::string quant_state_name(const std::string& name, Quantization quantization) {
  return fmt::format("{}.quant_state.bitsandbytes__{}", name, quant_type(quantization));
}

void check_four_bits(const TensorMap& tensors,
                     const std::string& name,
                     std::span<const std::int64_t> shape,
                     Quantization quantization) {
  const std::int64_t n_elements = shape[0] * shape[1];
  const std::int64_t blocks = n_blocks(n_elements, kBlock);
  const StoredTensor& codes = find(tensors, name);
  const auto n_code_bytes = static_cast<std::size_t>((n_elements + 1) / 2);
  if (codes.bytes.size() != n_code_bytes) {
    fail(codes,
         fmt::format("{} bytes of 4-bit codes for {}", n_code_bytes, files::describe_shape(shape)),
         fmt::format("{} ({} {})", codes.bytes.size(), codes.type_name,
                     files::describe_shape(codes.shape)));
  }
  const bool is_double = quantization == Quantization::Nf4Double;
  check_form(find(tensors, fmt::format("{}.absmax", name)), is_double ? "U8" : "F32",
             std::vector{blocks});
  const StoredTensor& map = find(tensors, fmt::format("{}.quant_map", name));
  check_form(map, "F32", std::vector{kFourBitCodes});
  const std::array<float, 16> expected = quant_map(quantization);
  const std::vector<float> found = numbers_of(map);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!(std::abs(found[i] - expected[i]) <= kMapTolerance)) {
      fail(map, fmt::format("{:f} for code {}", expected[i], i), fmt::format("{:f}", found[i]));
    }
  }
  if (is_double) {
    check_form(find(tensors, fmt::format("{}.nested_absmax", name)), "F32",
               std::vector{n_blocks(blocks, kNestedBlock)});
    check_form(find(tensors, fmt::format("{}.nested_quant_map", name)), "F32",
               std::vector{kNestedCodes});
  }
  const StoredTensor& state = find(tensors, quant_state_name(name, quantization));
  if (state.type_name != "U8") {
    fail(state, "U8", state.type_name);
  }
  QuantState(state).check(shape, quantization);
}

void check_int8(const TensorMap& tensors,
                const std::string& name,
                std::span<const std::int64_t> shape) {
  check_form(find(tensors, name), "I8", shape);
  check_form(find(tensors, fmt::format("{}SCB", module_of(name))), "F32", shape.first(1));
  const auto format = tensors.find(fmt::format("{}weight_format", module_of(name)));
  if (format != tensors.end()) {
    const StoredTensor& tensor = format->second;
    if (tensor.type_name != "U8" || tensor.bytes.size() != 1) {
      fail(tensor, "one U8",
           fmt::format("{} {}", tensor.type_name, files::describe_shape(tensor.shape)));
    }
    if (tensor.bytes[0] != std::byte{0}) {
      fail(tensor, "0 (rows one behind the other)",
           fmt::to_string(std::to_integer<int>(tensor.bytes[0])));
    }
  }
}

at::Tensor sent(const StoredTensor& tensor,
                at::ScalarType type,
                at::IntArrayRef shape,
                Staging& staging) {
  at::Tensor result = at::empty(shape, at::TensorOptions(type).device(staging.device()));
  LABELPROBE_CHECK(result.nbytes() == tensor.bytes.size());
  staging.send(result, [&](std::int64_t first_row, const at::Tensor& rows) {
    const std::size_t row_bytes = rows.nbytes() / static_cast<std::size_t>(rows.size(0));
    copy_bytes(tensor.bytes.subspan(static_cast<std::size_t>(first_row) * row_bytes, rows.nbytes()),
               static_cast<std::byte*>(rows.mutable_data_ptr()));
  });
  return result;
}

std::span<const std::byte> bytes_of(const at::Tensor& tensor) {
  LABELPROBE_CHECK(tensor.is_contiguous() && tensor.is_cpu());
  return {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
}

}  // namespace

std::vector<std::string> quantized_names(const std::string& name, Quantization quantization) {
  if (quantization == Quantization::Int8) {
    const std::string module(module_of(name));
    return {name, fmt::format("{}SCB", module), fmt::format("{}weight_format", module)};
  }
  std::vector<std::string> names = {name, fmt::format("{}.absmax", name),
                                    fmt::format("{}.quant_map", name)};
  if (quantization == Quantization::Nf4Double) {
    names.push_back(fmt::format("{}.nested_absmax", name));
    names.push_back(fmt::format("{}.nested_quant_map", name));
  }
  names.push_back(quant_state_name(name, quantization));
  return names;
}

bool is_stored_quantized(const TensorMap& tensors,
                         const Parameter& parameter,
                         Quantization quantization) {
  if (quantization == Quantization::None || !parameter.is_block_linear()) {
    return false;
  }
  const auto found = tensors.find(parameter.name);
  // What is left out of the quantisation has a type that we read as it is, and nothing beside it.
  return found != tensors.end() && (!found->second.type || tensors.contains(quantized_names(
                                                               parameter.name, quantization)[1]));
}

void check_quantized(const TensorMap& tensors, const Parameter& matrix, Quantization quantization) {
  for (const std::string& needed : quantized_names(matrix.name, quantization)) {
    if (!tensors.contains(needed) && !needed.ends_with(".weight_format")) {
      throw ModelError(
          fmt::format("{}: tensor {} is missing; expected it beside {}, whose weights are {} as "
                      "config.json's quantization_config says",
                      find(tensors, matrix.name).file.string(), needed, matrix.name,
                      quantization_name(quantization)));
    }
  }
  if (is_four_bits(quantization)) {
    check_four_bits(tensors, matrix.name, matrix.shape, quantization);
  } else {
    check_int8(tensors, matrix.name, matrix.shape);
  }
}

QuantizedWeight load_quantized(const TensorMap& tensors,
                               const Parameter& matrix,
                               Quantization quantization,
                               Staging& staging) {
  const std::string& name = matrix.name;
  const std::vector<std::int64_t>& shape = matrix.shape;
  QuantizedWeight weight;
  weight.quantization = quantization;
  weight.height = shape[0];
  weight.width = shape[1];
  const auto part = [&](const std::string& part_name, at::ScalarType type, at::IntArrayRef form) {
    return sent(find(tensors, part_name), type, form, staging);
  };
  if (quantization == Quantization::Int8) {
    weight.codes = part(name, at::kChar, {shape[0], shape[1]});
    weight.absmax = part(fmt::format("{}SCB", module_of(name)), at::kFloat, {shape[0]});
    return weight;
  }
  const std::int64_t n_elements = shape[0] * shape[1];
  const std::int64_t blocks = n_blocks(n_elements, kBlock);
  weight.codes = part(name, at::kByte, {(n_elements + 1) / 2});
  if (quantization != Quantization::Nf4Double) {
    weight.absmax = part(fmt::format("{}.absmax", name), at::kFloat, {blocks});
    return weight;
  }
  weight.absmax_codes = part(fmt::format("{}.absmax", name), at::kByte, {blocks});
  weight.outer_absmax =
      part(fmt::format("{}.nested_absmax", name), at::kFloat, {n_blocks(blocks, kNestedBlock)});
  weight.absmax_map = part(fmt::format("{}.nested_quant_map", name), at::kFloat, {kNestedCodes});
  weight.offset = QuantState(find(tensors, quant_state_name(name, quantization))).offset();
  return weight;
}

QuantizedWeight load_quantized_rows(const TensorMap& tensors,
                                    const Parameter& matrix,
                                    Quantization quantization,
                                    const RowRanges& rows,
                                    Staging& staging) {
  check_whole_blocks(matrix, quantization, rows);
  // The codes stay in the file until rows of them are taken; all else is small.
  Staging in_place(at::kCPU);
  QuantizedWeight whole;
  whole.quantization = quantization;
  whole.height = matrix.shape[0];
  whole.width = matrix.shape[1];
  const std::string& name = matrix.name;
  const std::int64_t n_elements = whole.height * whole.width;
  const bool is_int8 = quantization == Quantization::Int8;
  const std::vector<std::int64_t> form =
      is_int8 ? matrix.shape : std::vector<std::int64_t>{(n_elements + 1) / 2};
  // ATen knows no tensors of constant memory; this one is only read.
  whole.codes = at::from_blob(const_cast<std::byte*>(find(tensors, name).bytes.data()), form,
                              at::TensorOptions(is_int8 ? at::kChar : at::kByte));
  const auto beside = [&](const std::string& tensor, at::ScalarType type, std::int64_t n) {
    return sent(find(tensors, tensor), type, {n}, in_place);
  };
  const std::int64_t blocks = n_blocks(n_elements, kBlock);
  if (is_int8) {
    whole.absmax = beside(fmt::format("{}SCB", module_of(name)), at::kFloat, whole.height);
  } else if (quantization != Quantization::Nf4Double) {
    whole.absmax = beside(fmt::format("{}.absmax", name), at::kFloat, blocks);
  } else {
    whole.absmax_codes = beside(fmt::format("{}.absmax", name), at::kByte, blocks);
    whole.outer_absmax =
        beside(fmt::format("{}.nested_absmax", name), at::kFloat, n_blocks(blocks, kNestedBlock));
    whole.absmax_map = beside(fmt::format("{}.nested_quant_map", name), at::kFloat, kNestedCodes);
    whole.offset = QuantState(find(tensors, quant_state_name(name, quantization))).offset();
  }
  return to_device(quantized_rows(matrix, whole, rows), staging);
}

std::vector<files::TensorToWrite> quantized_layout(const Parameter& matrix,
                                                   Quantization quantization) {
  const std::int64_t n_elements = matrix.shape[0] * matrix.shape[1];
  const std::int64_t blocks = n_blocks(n_elements, kBlock);
  const std::vector<std::string> names = quantized_names(matrix.name, quantization);
  if (quantization == Quantization::Int8) {
    return {
        {names[0], "I8", matrix.shape}, {names[1], "F32", {matrix.shape[0]}}, {names[2], "U8", {}}};
  }
  const bool is_double = quantization == Quantization::Nf4Double;
  std::vector<files::TensorToWrite> tensors = {{names[0], "U8", {(n_elements + 1) / 2, 1}},
                                               {names[1], is_double ? "U8" : "F32", {blocks}},
                                               {names[2], "F32", {kFourBitCodes}}};
  if (is_double) {
    tensors.push_back({names[3], "F32", {n_blocks(blocks, kNestedBlock)}});
    tensors.push_back({names[4], "F32", {kNestedCodes}});
  }
  tensors.push_back({names.back(), "U8", {static_cast<std::int64_t>(kQuantStateBytes)}});
  return tensors;
}

void write_quantized(const std::string& name,
                     const QuantizedWeight& weight,
                     DType dtype,
                     files::SafetensorsWriter& writer) {
  write_quantized_part(name, weight, 0, writer);
  write_quantized_rest(name, weight, dtype, writer);
}

void write_quantized_part(const std::string& name,
                          const QuantizedWeight& part,
                          std::int64_t first,
                          files::SafetensorsWriter& writer) {
  const bool is_int8 = part.quantization == Quantization::Int8;
  const std::int64_t n_sharing = is_int8 ? part.width : kBlock;
  LABELPROBE_CHECK(first % n_sharing == 0);
  const std::vector<std::string> names = quantized_names(name, part.quantization);
  writer.write_part(names[0], static_cast<std::size_t>(is_int8 ? first : first / 2),
                    bytes_of(part.codes));
  if (part.quantization != Quantization::Nf4Double) {
    writer.write_part(names[1], static_cast<std::size_t>(first / n_sharing) * sizeof(float),
                      bytes_of(part.absmax));
  }
}

void write_quantized_rest(const std::string& name,
                          const QuantizedWeight& weight,
                          DType dtype,
                          files::SafetensorsWriter& writer) {
  const std::vector<std::string> names = quantized_names(name, weight.quantization);
  if (weight.quantization == Quantization::Int8) {
    const std::array<std::byte, 1> row_by_row = {};
    writer.write(names[2], row_by_row);
    return;
  }
  const std::array<float, 16> map = quant_map(weight.quantization);
  writer.write(names[2], std::as_bytes(std::span(map)));
  if (weight.quantization == Quantization::Nf4Double) {
    writer.write(names[1], bytes_of(weight.absmax_codes));
    writer.write(names[3], bytes_of(weight.outer_absmax));
    writer.write(names[4], bytes_of(weight.absmax_map));
  }
  const std::string state = quant_state_text(weight, dtype);
  writer.write(names.back(), std::as_bytes(std::span(state)));
}

std::string quant_state_text(const QuantizedWeight& weight, DType dtype) {
  nlohmann::ordered_json state = {{"quant_type", quant_type(weight.quantization)},
                                  {"blocksize", kBlock},
                                  {"dtype", dtype_name(dtype)},
                                  {"shape", {weight.height, weight.width}}};
  if (weight.quantization == Quantization::Nf4Double) {
    state["nested_blocksize"] = kNestedBlock;
    state["nested_dtype"] = "float32";
    state["nested_offset"] = static_cast<double>(weight.offset);
  }
  std::string text = state.dump();
  LABELPROBE_CHECK(text.size() <= kQuantStateBytes);
  text.resize(kQuantStateBytes, ' ');
  return text;
}

std::array<float, 16> quant_map(Quantization quantization) {
  return four_bit_code(quantization).values;
}

}  // namespace labelprobe::weights
