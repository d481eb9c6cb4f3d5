// Named tensors in a safetensors file: what adapters, checkpoints and models of trainings are
// written to and read from.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <ATen/core/Tensor.h>

#include "labelprobe/files/safetensors.h"

namespace labelprobe::training {

using NamedTensors = std::map<std::string, at::Tensor>;

// Tensors of float32, float64 and int64, on any device. The file is there as a whole, or as it was
// before; throws ConfigError where it cannot be written.
void write_tensors(const std::filesystem::path& path,
                   const NamedTensors& tensors,
                   const std::map<std::string, std::string>& metadata);

// All tensors of a file, on the CPU. Throws DataError for other types.
NamedTensors read_tensors(const files::SafetensorsFile& file);
NamedTensors read_tensors(const std::filesystem::path& path);

}  // namespace labelprobe::training
