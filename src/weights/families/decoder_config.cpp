#include "weights/families/decoder_config.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "labelprobe/core/error.h"

namespace labelprobe::weights {
namespace {

// The ramp between kept short wavelengths and divided long ones, as Llama 3.1 defines it.
float llama3_frequency(float frequency, const RopeScaling& scaling) {
  const auto factor = static_cast<float>(scaling.factor);
  const auto original = static_cast<double>(scaling.original_max_position);
  const auto low = static_cast<float>(scaling.low_freq_factor);
  const auto high = static_cast<float>(scaling.high_freq_factor);
  const auto longest_kept = static_cast<float>(original / scaling.high_freq_factor);
  const auto shortest_divided = static_cast<float>(original / scaling.low_freq_factor);
  const float wavelength = (1.0F / frequency) * static_cast<float>(2.0 * M_PI);
  if (wavelength < longest_kept) {
    return frequency;
  }
  if (wavelength > shortest_divided) {
    return frequency / factor;
  }
  const float ramp = ((1.0F / wavelength) * static_cast<float>(original) - low) / (high - low);
  return (1.0F - ramp) * frequency / factor + ramp * frequency;
}

}  // namespace

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

std::vector<float> rope_frequencies(const DecoderConfig& config) {
  // torch's own pow: another library's may differ in the last bit, which grows with the position.
  const at::Tensor exponents = at::arange(0, config.head_dim, 2, at::kFloat) / config.head_dim;
  const at::Tensor plain = at::pow(at::Scalar(config.rope_theta), exponents).reciprocal();
  std::vector<float> frequencies(plain.const_data_ptr<float>(),
                                 plain.const_data_ptr<float>() + plain.numel());
  const RopeScaling& scaling = config.rope_scaling;
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    switch (scaling.kind) {
      case RopeScaling::Kind::None:
        break;
      case RopeScaling::Kind::Linear:
        frequencies[i] /= static_cast<float>(scaling.factor);
        break;
      case RopeScaling::Kind::Llama3:
        frequencies[i] = llama3_frequency(frequencies[i], scaling);
        break;
      case RopeScaling::Kind::Dynamic:
      case RopeScaling::Kind::Yarn:
      case RopeScaling::Kind::LongRope:
        throw ModelError(
            "rotary embedding: expected scaling none, linear or llama3; dynamic, yarn and longrope "
            "are not computed");
      case RopeScaling::Kind::Factors:
        LABELPROBE_CHECK(scaling.factors.size() == frequencies.size());
        frequencies[i] /= scaling.factors[i];
        break;
    }
  }
  return frequencies;
}

}  // namespace labelprobe::weights
