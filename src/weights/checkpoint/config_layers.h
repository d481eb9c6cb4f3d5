// What config.json says about the layers of a decoder: their windows, rotary embedding, experts and
// the numbers that only some families have. All throw ModelError (file, key, expected, found).
#pragma once

#include "labelprobe/files/json.h"

#include "weights/families/decoder_config.h"

namespace labelprobe::weights {

// Family and sizes are known.
void read_window(const files::JsonView& config, DecoderConfig& decoder);
// Family, sizes and windows are known.
void read_rope(const files::JsonView& config, DecoderConfig& decoder);
// Activation, scales, caps.
void read_settings(const files::JsonView& config, DecoderConfig& decoder);
void read_experts(const files::JsonView& config, DecoderConfig& decoder);

}  // namespace labelprobe::weights
