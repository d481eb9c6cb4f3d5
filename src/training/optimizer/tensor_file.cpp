#include "training/optimizer/tensor_file.h"

#include <cstring>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/files/safetensors_writer.h"

namespace labelprobe::training {

namespace {

std::string type_of(const at::Tensor& tensor) {
  if (tensor.scalar_type() == at::kLong) return "I64";
  if (tensor.scalar_type() == at::kDouble) return "F64";
  LABELPROBE_CHECK(tensor.scalar_type() == at::kFloat);
  return "F32";
}

at::Tensor read_tensor(const files::SafetensorsTensor& stored) {
  const at::ScalarType type = stored.type == "I64"   ? at::kLong
                              : stored.type == "F64" ? at::kDouble
                                                     : at::kFloat;
  at::Tensor tensor = at::empty(stored.shape, type);
  if (tensor.nbytes() != stored.bytes.size()) {
    throw DataError(
        fmt::format("tensor {}: expected F32, F64 or I64, found {}", stored.name, stored.type));
  }
  if (!stored.bytes.empty()) {
    std::memcpy(tensor.mutable_data_ptr(), stored.bytes.data(), stored.bytes.size());
  }
  return tensor;
}

}  // namespace

void write_tensors(const std::filesystem::path& path,
                   const NamedTensors& tensors,
                   const std::map<std::string, std::string>& metadata) {
  std::vector<at::Tensor> held;
  std::vector<files::SafetensorsTensor> stored;
  // The wider types first, so that all are aligned.
  for (const bool is_wide : {true, false}) {
    for (const auto& [name, tensor] : tensors) {
      if ((tensor.element_size() == 8) != is_wide) continue;
      held.push_back(tensor.to(at::kCPU).contiguous());
      const at::Tensor& kept = held.back();
      stored.push_back({name,
                        type_of(kept),
                        kept.sizes().vec(),
                        {static_cast<const std::byte*>(kept.const_data_ptr()), kept.nbytes()}});
    }
  }
  files::OutputFile file(path);
  files::write_safetensors(file.stream(), stored, metadata);
  file.finish();
}

NamedTensors read_tensors(const files::SafetensorsFile& file) {
  NamedTensors tensors;
  for (const files::SafetensorsTensor& stored : file.tensors()) {
    tensors[stored.name] = read_tensor(stored);
  }
  return tensors;
}

NamedTensors read_tensors(const std::filesystem::path& path) {
  return read_tensors(files::SafetensorsFile::open(path, ErrorKind::Data));
}

}  // namespace labelprobe::training
