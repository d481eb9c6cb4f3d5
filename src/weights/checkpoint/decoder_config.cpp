#include "weights/checkpoint/decoder_config.h"

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

std::vector<Parameter> parameters_of(const DecoderConfig& config) {
  const std::int64_t hidden = config.hidden_size;
  const std::int64_t inner = config.intermediate_size;
  const std::int64_t q_rows = std::int64_t{config.n_heads} * config.head_dim;
  const std::int64_t kv_rows = std::int64_t{config.n_kv_heads} * config.head_dim;
  std::vector<Parameter> parameters;
  const auto add_linear = [&](const std::string& name, std::int64_t n_out, std::int64_t n_in,
                              bool has_bias) {
    parameters.push_back({name + ".weight", {n_out, n_in}});
    if (has_bias) {
      parameters.push_back({name + ".bias", {n_out}});
    }
  };
  parameters.push_back({"model.embed_tokens.weight", {config.vocab_size, hidden}});
  for (int i = 0; i < config.n_layers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i);
    parameters.push_back({layer + ".input_layernorm.weight", {hidden}});
    add_linear(layer + ".self_attn.q_proj", q_rows, hidden, config.qkv_bias);
    add_linear(layer + ".self_attn.k_proj", kv_rows, hidden, config.qkv_bias);
    add_linear(layer + ".self_attn.v_proj", kv_rows, hidden, config.qkv_bias);
    add_linear(layer + ".self_attn.o_proj", hidden, q_rows, config.o_bias);
    parameters.push_back({layer + ".post_attention_layernorm.weight", {hidden}});
    add_linear(layer + ".mlp.gate_proj", inner, hidden, config.mlp_bias);
    add_linear(layer + ".mlp.up_proj", inner, hidden, config.mlp_bias);
    add_linear(layer + ".mlp.down_proj", hidden, inner, config.mlp_bias);
  }
  parameters.push_back({"model.norm.weight", {hidden}});
  if (!config.tie_word_embeddings) {
    parameters.push_back({"lm_head.weight", {config.vocab_size, hidden}});
  }
  return parameters;
}

bool is_block_linear(std::string_view name) {
  return name.starts_with("model.layers.") && name.ends_with("_proj.weight");
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
      case RopeScaling::Kind::Factors:
        LABELPROBE_CHECK(scaling.factors.size() == frequencies.size());
        frequencies[i] /= scaling.factors[i];
        break;
    }
  }
  return frequencies;
}

}  // namespace labelprobe::weights
