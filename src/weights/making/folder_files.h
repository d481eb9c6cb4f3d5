// What a folder with a packed copy of a model holds beside the weights.
#pragma once

#include <filesystem>

#include "labelprobe/weights/precision.h"

#include "weights/families/decoder_config.h"

namespace labelprobe::weights {

// Writes config.json with a quantization_config as transformers has it (none for
// Quantization::None), and copies the files of tokenizer and generation. Of a GGUF file:
// config.json from its header, tokenizer.gguf (its header without tensors) and chat_template.jinja;
// there, transformers finds no tokenizer. Throws ModelError if a file cannot be read or written,
// and for rotary factors of a GGUF file, which config.json has no words for.
void write_folder_files(const std::filesystem::path& model,
                        const DecoderConfig& config,
                        DType dtype,
                        Quantization quantization,
                        const std::filesystem::path& folder);

}  // namespace labelprobe::weights
