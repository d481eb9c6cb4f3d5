// The safetensors files of a model folder.
#pragma once

#include <filesystem>
#include <vector>

#include "labelprobe/files/safetensors.h"

#include "weights/checkpoint/stored_tensor.h"

namespace labelprobe::weights {

// The weights of a model folder: model.safetensors, or else every file that
// model.safetensors.index.json names. Throws ModelError if there are neither (saying what is there
// instead), if a file is missing, or if a tensor is not in the file the index gives for it.
std::vector<files::SafetensorsFile> open_safetensors(const std::filesystem::path& folder);

// The tensors of a file, in the order of their bytes, which the file holds.
std::vector<StoredTensor> stored_tensors(const files::SafetensorsFile& file);

}  // namespace labelprobe::weights
