#include "weights/families/decoder_config.h"

#include <algorithm>
#include <cmath>

namespace labelprobe::weights {

int DecoderConfig::n_positions() const {
  return sliding_window > 0 ? std::min(sliding_window, max_position_embeddings)
                            : max_position_embeddings;
}

int DecoderConfig::layer_window(int layer) const {
  return windowed_layers.empty() || windowed_layers[static_cast<std::size_t>(layer)]
             ? sliding_window
             : 0;
}

bool DecoderConfig::layer_has_rope(int layer) const {
  return ropeless_layers.empty() || !ropeless_layers[static_cast<std::size_t>(layer)];
}

Rope DecoderConfig::layer_rope(int layer) const {
  return window_rope && layer_window(layer) > 0 ? *window_rope : Rope{rope_theta, rope_scaling};
}

double DecoderConfig::score_scale() const {
  return attention_scale > 0.0 ? attention_scale : 1.0 / std::sqrt(static_cast<double>(head_dim));
}

}  // namespace labelprobe::weights
