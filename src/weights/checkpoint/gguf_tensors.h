// The tensors of a GGUF file under the names and in the row order of Hugging Face.
#pragma once

#include <vector>

#include "labelprobe/files/gguf.h"

#include "weights/checkpoint/stored_tensor.h"
#include "weights/families/decoder_config.h"

namespace labelprobe::weights {

// Every tensor of the file but those that `config` was made from or that hold nothing of their own
// (rope_freqs.weight, rotary tables of old converters). A tensor whose name is not one of a
// decoder's keeps its own name.
std::vector<StoredTensor> gguf_tensors(const files::GgufFile& file, const DecoderConfig& config);

}  // namespace labelprobe::weights
