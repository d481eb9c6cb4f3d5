// The configurations of well-known models, as their published config.json says them.
#pragma once

#include <string>
#include <string_view>

#include "labelprobe/model/random_checkpoint.h"

namespace labelprobe::model {

// What config.json of a model of that shape holds; n_layers 0 = as many as the shape has.
std::string config_of(std::string_view shape, int n_layers, DType dtype);

// And generation_config.json: the ids that begin and end a text.
std::string generation_config_of(std::string_view shape);

}  // namespace labelprobe::model
