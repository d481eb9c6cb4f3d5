// A copy of a model with quantised weights, for loading without quantising again.
#pragma once

#include <filesystem>

#include "labelprobe/weights/precision.h"

namespace labelprobe::weights {

// Writes a copy of the model with quantised weights to the folder `to`, which open() reads as it is
// (safetensors in the layout of transformers' bitsandbytes checkpoints; its tokenizer's files come
// along). Holds one tensor at a time. Throws as open() does, and ModelError where `to` is there.
void save_quantized(const std::filesystem::path& model,
                    DType dtype,
                    Quantization quantization,
                    const std::filesystem::path& to);

}  // namespace labelprobe::weights
