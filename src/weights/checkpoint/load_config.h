// Reads what a checkpoint says about its decoder, from either kind of file.
#pragma once

#include <filesystem>

#include "labelprobe/files/gguf.h"

#include "weights/families/decoder_config.h"

namespace labelprobe::weights {

// From `folder`/config.json and, where present, generation_config.json. Throws ModelError naming
// file, key, expected and found for anything missing, malformed or not supported; the latter are
// also settings of other decoders that would change numbers.
DecoderConfig load_config(const std::filesystem::path& folder);

// From the header of a GGUF file and the presence and shapes of its tensors. Throws as above.
DecoderConfig load_config(const files::GgufFile& file);

}  // namespace labelprobe::weights
