// The configurations of well-known models, as their published config.json says them.
#pragma once

#include <string>
#include <string_view>

#include "labelprobe/weights/making.h"

#include "weights/families/decoder_config.h"

namespace labelprobe::weights {

// What config.json of a model of that shape holds; n_layers 0 = as many as the shape has.
std::string config_of(std::string_view shape, int n_layers, DType dtype);

// The sizes in it, for those who only count: nothing of rotary embeddings and how texts end.
DecoderConfig decoder_config_of(std::string_view shape, int n_layers);

// And generation_config.json: the ids that begin and end a text.
std::string generation_config_of(std::string_view shape);

}  // namespace labelprobe::weights
