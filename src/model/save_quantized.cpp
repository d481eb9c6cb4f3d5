// A packed copy of a model: quantised weights and what else a model folder needs.
#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/model/language_model.h"

#include "checkpoint.h"
#include "dtype.h"
#include "folder_files.h"
#include "new_folder.h"
#include "quantized_tensors.h"
#include "safetensors_writer.h"

namespace labelprobe::model {
namespace {

namespace fs = std::filesystem;

std::string stored_name(DType dtype) {
  return dtype == DType::Float32 ? "F32" : dtype == DType::BFloat16 ? "BF16" : "F16";
}

// The tensors of a quantised matrix `name`; see quantized_tensors.h.
std::vector<TensorToWrite> quantized_layout(const Parameter& matrix, Quantization quantization) {
  const std::int64_t n = matrix.shape[0] * matrix.shape[1];
  const std::int64_t n_blocks = (n + 63) / 64;
  const std::vector<std::string> names = quantized_names(matrix.name, quantization);
  switch (quantization) {
    case Quantization::Int8:
      return {{names[0], "I8", matrix.shape},
              {names[1], "F32", {matrix.shape[0]}},
              {names[2], "U8", {}}};
    case Quantization::Nf4Double:
      return {{names[0], "U8", {(n + 1) / 2, 1}},
              {names[1], "U8", {n_blocks}},
              {names[2], "F32", {16}},
              {names[3], "F32", {(n_blocks + 255) / 256}},
              {names[4], "F32", {256}},
              {names[5], "U8", {static_cast<std::int64_t>(kQuantStateBytes)}}};
    default:
      return {{names[0], "U8", {(n + 1) / 2, 1}},
              {names[1], "F32", {n_blocks}},
              {names[2], "F32", {16}},
              {names[3], "U8", {static_cast<std::int64_t>(kQuantStateBytes)}}};
  }
}

std::span<const std::byte> bytes_of(const at::Tensor& tensor) {
  LABELPROBE_CHECK(tensor.is_contiguous() && tensor.is_cpu());
  return {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
}

// In the order of quantized_names().
void write_quantized(const std::string& name,
                     const QuantizedWeight& weight,
                     DType dtype,
                     SafetensorsWriter& writer) {
  const std::vector<std::string> names = quantized_names(name, weight.quantization);
  writer.write(names[0], bytes_of(weight.codes));
  if (weight.quantization == Quantization::Int8) {
    const std::array<std::byte, 1> row_by_row = {};
    writer.write(names[1], bytes_of(weight.absmax));
    writer.write(names[2], row_by_row);
    return;
  }
  const bool is_double = weight.quantization == Quantization::Nf4Double;
  writer.write(names[1], bytes_of(is_double ? weight.absmax_codes : weight.absmax));
  const std::array<float, 16> map = quant_map(weight.quantization);
  writer.write(names[2], std::as_bytes(std::span(map)));
  if (is_double) {
    writer.write(names[3], bytes_of(weight.outer_absmax));
    writer.write(names[4], bytes_of(weight.absmax_map));
  }
  const std::string state = quant_state_text(weight, dtype);
  writer.write(names.back(), std::as_bytes(std::span(state)));
}

void write_weights(Checkpoint& checkpoint,
                   DType dtype,
                   Quantization quantization,
                   const fs::path& folder) {
  const std::vector<Parameter> parameters = parameters_of(checkpoint.config());
  std::vector<TensorToWrite> tensors;
  for (const Parameter& parameter : parameters) {
    const Quantization kept_as = checkpoint.quantization_of(parameter.name, quantization);
    if (kept_as == Quantization::None) {
      tensors.push_back({parameter.name, stored_name(dtype), parameter.shape});
    } else {
      for (TensorToWrite& tensor : quantized_layout(parameter, kept_as)) {
        tensors.push_back(std::move(tensor));
      }
    }
  }
  SafetensorsWriter writer(folder, tensors);
  checkpoint.start_reading();
  for (const Parameter& parameter : parameters) {
    const Quantization kept_as = checkpoint.quantization_of(parameter.name, quantization);
    if (kept_as == Quantization::None) {
      writer.write(parameter.name,
                   bytes_of(checkpoint.load(parameter.name, parameter.shape, dtype)));
    } else if (checkpoint.quantization_of(parameter.name) == kept_as) {
      write_quantized(parameter.name, checkpoint.load_quantized(parameter.name, parameter.shape),
                      dtype, writer);
    } else {
      write_quantized(parameter.name,
                      quantize(checkpoint.load(parameter.name, parameter.shape, dtype), kept_as),
                      dtype, writer);
    }
  }
  checkpoint.check_all_loaded();
  writer.close();
}

}  // namespace

void save_quantized(const fs::path& model,
                    DType dtype,
                    Quantization quantization,
                    const fs::path& to) {
  const c10::InferenceMode no_gradients;
  Checkpoint checkpoint = Checkpoint::open(model);
  const ModelInfo info = checkpoint.describe(dtype, quantization);
  if (info.quantization == Quantization::None) {
    throw ConfigError(
        model.string() +
        ": a packed copy needs a quantisation; expected fp4, nf4, nf4-double or int8");
  }
  write_new_folder(to, [&](const fs::path& folder) {
    write_folder_files(model, checkpoint.config(), dtype, info.quantization, folder);
    write_weights(checkpoint, dtype, quantization, folder);
  });
}

}  // namespace labelprobe::model
