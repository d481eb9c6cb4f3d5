#include "weights/families/rope.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "labelprobe/core/error.h"

namespace labelprobe::weights {
namespace {

using Kind = RopeScaling::Kind;

// Yarn lets the attention sharpen by so much for each e-fold of `scale`.
double yarn_sharpness(double scale, double share) {
  return scale <= 1.0 ? 1.0 : 0.1 * share * std::log(scale) + 1.0;
}

double attention_factor(const RopeScaling& scaling, double factor) {
  if (scaling.attention_factor) return *scaling.attention_factor;
  if (scaling.kind == Kind::Yarn) {
    return scaling.mscale != 0.0 && scaling.mscale_all_dim != 0.0
               ? yarn_sharpness(factor, scaling.mscale) /
                     yarn_sharpness(factor, scaling.mscale_all_dim)
               : yarn_sharpness(factor, 1.0);
  }
  if (factor <= 1.0) return 1.0;
  return std::sqrt(1.0 +
                   std::log(factor) / std::log(static_cast<double>(scaling.original_max_position)));
}

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

at::Tensor llama3_frequencies(const at::Tensor& plain, const RopeScaling& scaling) {
  at::Tensor result = plain.clone();
  auto* frequencies = result.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < result.numel(); ++i) {
    frequencies[i] = llama3_frequency(frequencies[i], scaling);
  }
  return result;
}

// The place among n numbers whose wavelength goes n_turns times into the original length.
double place_of(double n_turns, int n, double theta, const RopeScaling& scaling) {
  const auto original = static_cast<double>(scaling.original_max_position);
  return n * std::log(original / (n_turns * 2.0 * M_PI)) / (2.0 * std::log(theta));
}

// Kept where there are many turns, divided where there are few, a ramp between.
at::Tensor yarn_frequencies(const at::Tensor& wavelengths,
                            int n,
                            double theta,
                            const RopeScaling& scaling) {
  double low = place_of(scaling.beta_fast, n, theta, scaling);
  double high = place_of(scaling.beta_slow, n, theta, scaling);
  if (scaling.is_truncated) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, n - 1.0);
  if (low == high) high += 0.001;
  const at::Tensor ramp =
      ((at::arange(wavelengths.numel(), at::kFloat) - low) / (high - low)).clamp(0, 1);
  const at::Tensor kept = 1 - ramp;
  return (wavelengths * scaling.factor).reciprocal() * (1 - kept) + wavelengths.reciprocal() * kept;
}

at::Tensor factors_of(const std::vector<float>& factors, const at::Tensor& wavelengths) {
  LABELPROBE_CHECK(static_cast<std::int64_t>(factors.size()) == wavelengths.numel());
  return at::tensor(factors);
}

at::Tensor frequencies_of(const Rope& rope, int n, TextLength length) {
  const RopeScaling& scaling = rope.scaling;
  // torch's own pow: another library's may differ in the last bit, which grows with the position.
  const at::Tensor wavelengths =
      at::pow(at::Scalar(rope.theta), at::arange(0, n, 2, at::kFloat) / n);
  const at::Tensor plain = wavelengths.reciprocal();
  switch (scaling.kind) {
    case Kind::None:
    case Kind::Dynamic:
      return plain;
    case Kind::Linear:
      return plain / scaling.factor;
    case Kind::Llama3:
      return llama3_frequencies(plain, scaling);
    case Kind::Yarn:
      return yarn_frequencies(wavelengths, n, rope.theta, scaling);
    case Kind::LongRope:
      return (wavelengths * factors_of(length == TextLength::Original ? scaling.short_factors
                                                                      : scaling.long_factors,
                                       wavelengths))
          .reciprocal();
    case Kind::Factors:
      return plain / factors_of(scaling.factors, wavelengths);
  }
  LABELPROBE_CHECK(false);
  return plain;
}

}  // namespace

std::int64_t original_length(const DecoderConfig& config) {
  const RopeScaling& scaling = config.rope_scaling;
  const bool has_two = scaling.kind == Kind::LongRope &&
                       scaling.original_max_position < config.max_position_embeddings;
  return has_two ? scaling.original_max_position : 0;
}

RopeTurns rope_turns(const DecoderConfig& config, const Rope& rope, TextLength length) {
  const RopeScaling& scaling = rope.scaling;
  const at::Tensor frequencies = frequencies_of(rope, config.n_rotated(), length);
  RopeTurns turns;
  turns.frequencies.assign(frequencies.const_data_ptr<float>(),
                           frequencies.const_data_ptr<float>() + frequencies.numel());
  if (scaling.kind == Kind::Yarn || scaling.kind == Kind::LongRope) {
    const double stretch =
        scaling.factor > 0.0
            ? scaling.factor
            : config.max_position_embeddings / static_cast<double>(scaling.original_max_position);
    turns.factor = attention_factor(scaling, stretch);
  }
  return turns;
}

std::vector<float> rope_frequencies(const DecoderConfig& config) {
  RopeTurns turns = rope_turns(config, {config.rope_theta, config.rope_scaling});
  const bool is_alike = config.n_rotated() == config.head_dim && config.ropeless_layers.empty() &&
                        !config.window_rope && original_length(config) == 0;
  if (!is_alike || turns.factor != 1.0) {
    throw ModelError(
        "rotary embedding: expected the same turns of whole heads in all layers and texts, without "
        "an attention factor");
  }
  return std::move(turns.frequencies);
}

}  // namespace labelprobe::weights
