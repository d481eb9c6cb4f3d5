// A packed copy of a model: quantised weights and what else a model folder needs.
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/files/new_folder.h"
#include "labelprobe/files/safetensors_writer.h"
#include "labelprobe/weights/making.h"

#include "weights/checkpoint/checkpoint.h"
#include "weights/checkpoint/quantized_tensors.h"
#include "weights/device/dtype.h"
#include "weights/making/folder_files.h"

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;

std::span<const std::byte> bytes_of_tensor(const at::Tensor& tensor) {
  LABELPROBE_CHECK(tensor.is_contiguous() && tensor.is_cpu());
  return {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
}

void write_weights(Checkpoint& checkpoint,
                   DType dtype,
                   Quantization quantization,
                   const fs::path& folder) {
  const std::vector<Parameter> parameters = parameters_of(checkpoint.config());
  std::vector<files::TensorToWrite> tensors;
  for (const Parameter& parameter : parameters) {
    const Quantization kept_as = checkpoint.quantization_of(parameter, quantization);
    if (kept_as == Quantization::None) {
      tensors.push_back({parameter.name, safetensors_type(dtype), parameter.shape});
    } else {
      for (files::TensorToWrite& tensor : quantized_layout(parameter, kept_as)) {
        tensors.push_back(std::move(tensor));
      }
    }
  }
  files::SafetensorsWriter writer(folder, tensors);
  checkpoint.start_reading();
  for (const Parameter& parameter : parameters) {
    const Quantization kept_as = checkpoint.quantization_of(parameter, quantization);
    if (kept_as == Quantization::None) {
      writer.write(parameter.name, bytes_of_tensor(checkpoint.load(parameter, dtype)));
    } else if (checkpoint.quantization_of(parameter) == kept_as) {
      write_quantized(parameter.name, checkpoint.load_quantized(parameter), dtype, writer);
    } else {
      write_quantized(parameter.name, quantize(checkpoint.load(parameter, dtype), kept_as), dtype,
                      writer);
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
  const Quantization kept_as = checkpoint.quantization(quantization);
  if (kept_as == Quantization::None) {
    throw ConfigError(
        fmt::format("{}: a packed copy needs a quantisation; expected fp4, nf4, nf4-double or int8",
                    model.string()));
  }
  files::write_new_folder(to, ErrorKind::Model, [&](const fs::path& folder) {
    write_folder_files(model, checkpoint.config(), dtype, kept_as, folder);
    write_weights(checkpoint, dtype, quantization, folder);
  });
}

}  // namespace labelprobe::weights
