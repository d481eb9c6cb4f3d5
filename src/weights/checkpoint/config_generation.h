// The model's own settings of generation: generation_config.json or, where there is none,
// config.json.
#pragma once

#include "labelprobe/files/json.h"

#include "weights/families/decoder_config.h"

namespace labelprobe::weights {

// Fills in the end tokens, if the file names any.
void read_end_ids(const files::JsonView& config, DecoderConfig& decoder);

// Throws ModelError (file, key, expected, found) for a setting that moves greedy answers and that
// we do not compute. Settings of sampling do not.
GenerationRules read_generation_rules(const files::JsonView& config, int vocab_size);

}  // namespace labelprobe::weights
