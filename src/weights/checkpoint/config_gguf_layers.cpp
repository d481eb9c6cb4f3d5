// What a GGUF header says about the layers. Where it is silent, llama.cpp has numbers of its own
// for an architecture, which are the family's.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <variant>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"
#include "labelprobe/files/safetensors.h"

#include "weights/checkpoint/gguf_keys.h"
#include "weights/families/family.h"

namespace labelprobe::weights {
namespace {

using Kind = RopeScaling::Kind;

// Divisors of every frequency.
std::vector<float> read_factors(const files::GgufFile& file,
                                const files::GgufTensor& tensor,
                                int n_rotated) {
  const std::vector<std::int64_t> expected_shape = {n_rotated / 2};
  if (tensor.type != static_cast<std::uint32_t>(files::GgmlType::F32) ||
      tensor.shape != expected_shape) {
    throw ModelError(
        fmt::format("{}: tensor {}: expected F32 of shape {}, found {} of shape {}",
                    file.path().string(), tensor.name, files::describe_shape(expected_shape),
                    files::ggml_type_name(tensor.type), files::describe_shape(tensor.shape)));
  }
  std::vector<float> factors(static_cast<std::size_t>(n_rotated / 2));
  LABELPROBE_CHECK(tensor.bytes.size() == factors.size() * sizeof(float));
  std::memcpy(factors.data(), tensor.bytes.data(), tensor.bytes.size());
  for (const float factor : factors) {
    if (!(factor > 0.0F) || !std::isfinite(factor)) {
      throw ModelError(fmt::format("{}: tensor {}: expected factors above 0, found {}",
                                   file.path().string(), tensor.name, factor));
    }
  }
  return factors;
}

Kind read_kind(const files::GgufFile& file, const GgufKeys& keys) {
  if (find_tensor(file, "rope_factors_long.weight") != nullptr) return Kind::LongRope;
  const std::string key = "rope.scaling.type";
  const std::string type = keys.has(key) ? keys.string(key) : "none";
  if (type == "linear") return Kind::Linear;
  if (type == "yarn") return Kind::Yarn;
  if (type != "none") keys.fail(key, "none, linear, yarn, or longrope with its factors", type);
  // `rope.scale_linear` is the spelling of files from before `rope.scaling.*`.
  return keys.has("rope.scale_linear") ? Kind::Linear : Kind::None;
}

void read_original_length(const GgufKeys& keys,
                          const DecoderConfig& decoder,
                          RopeScaling& scaling) {
  const std::string key = "rope.scaling.original_context_length";
  scaling.original_max_position = keys.has(key) ? keys.integer(key, 1, limits::kModelPositions)
                                                : decoder.max_position_embeddings;
}

// What llama.cpp's converter writes for rope scaling `llama3`: the divisor of every frequency.
void read_rope_freqs(const files::GgufFile& file,
                     const GgufKeys& keys,
                     const DecoderConfig& decoder,
                     RopeScaling& scaling) {
  const files::GgufTensor* tensor = find_tensor(file, "rope_freqs.weight");
  if (tensor == nullptr) {
    return;
  }
  if (scaling.kind != Kind::None && scaling.factor != 1.0) {
    keys.fail("rope.scaling.type", "none where there is a tensor rope_freqs.weight",
              keys.has("rope.scaling.type") ? keys.string("rope.scaling.type") : "linear");
  }
  scaling = {};
  scaling.kind = Kind::Factors;
  scaling.factors = read_factors(file, *tensor, decoder.n_rotated());
}

// The factor of cosines and sines is written as a factor of what follows from the scaling.
void read_yarn(const GgufKeys& keys, const DecoderConfig& decoder, RopeScaling& scaling) {
  scaling.factor = keys.positive_number("rope.scaling.factor");
  read_original_length(keys, decoder, scaling);
  scaling.beta_fast = keys.positive_or("rope.scaling.yarn_beta_fast", scaling.beta_fast);
  scaling.beta_slow = keys.positive_or("rope.scaling.yarn_beta_slow", scaling.beta_slow);
  if (keys.has("rope.scaling.attn_factor")) {
    const double follows = scaling.factor > 1.0 ? 0.1 * std::log(scaling.factor) + 1.0 : 1.0;
    scaling.attention_factor = keys.positive_number("rope.scaling.attn_factor") * follows;
  }
  scaling.is_truncated = decoder.family->is_gguf_yarn_truncated;
}

RopeScaling read_scaling(const files::GgufFile& file,
                         const GgufKeys& keys,
                         const DecoderConfig& decoder) {
  RopeScaling scaling;
  scaling.kind = read_kind(file, keys);
  if (scaling.kind == Kind::Linear) {
    scaling.factor = keys.positive_number(keys.has("rope.scaling.factor") ? "rope.scaling.factor"
                                                                          : "rope.scale_linear");
  }
  if (scaling.kind == Kind::Yarn) read_yarn(keys, decoder, scaling);
  if (scaling.kind == Kind::LongRope) {
    scaling.factor = 0.0;
    read_original_length(keys, decoder, scaling);
    if (keys.has("rope.scaling.attn_factor")) {
      scaling.attention_factor = keys.positive_number("rope.scaling.attn_factor");
    }
    const files::GgufTensor* short_factors = find_tensor(file, "rope_factors_short.weight");
    if (short_factors == nullptr) {
      throw ModelError(
          fmt::format("{}: tensor rope_factors_short.weight is missing", file.path().string()));
    }
    scaling.short_factors = read_factors(file, *short_factors, decoder.n_rotated());
    scaling.long_factors =
        read_factors(file, *find_tensor(file, "rope_factors_long.weight"), decoder.n_rotated());
  }
  read_rope_freqs(file, keys, decoder, scaling);
  return scaling;
}

void read_rotary_dim(const GgufKeys& keys, DecoderConfig& decoder) {
  const std::string key = "rope.dimension_count";
  if (!keys.has(key)) {
    return;
  }
  const int n_rotated = keys.integer(key, 0, limits::kModelDimension);
  if (n_rotated == decoder.head_dim) {
    return;
  }
  if (!decoder.family->has_partial_rotary) {
    keys.fail(key, fmt::format("the head dimension ({})", decoder.head_dim),
              fmt::to_string(n_rotated));
  }
  if (n_rotated < 2 || n_rotated > decoder.head_dim || n_rotated % 2 != 0) {
    keys.fail(key, fmt::format("an even number from 2 to {}", decoder.head_dim),
              fmt::to_string(n_rotated));
  }
  decoder.rotary_dim = n_rotated;
}

void read_rope(const files::GgufFile& file, const GgufKeys& keys, DecoderConfig& decoder) {
  const Family& family = *decoder.family;
  read_rotary_dim(keys, decoder);
  decoder.rope_theta = keys.positive_or("rope.freq_base", 10000.0);
  decoder.rope_scaling = read_scaling(file, keys, decoder);
  if (family.has_window_rope) {
    const double otherwise =
        family.default_window_theta > 0.0 ? family.default_window_theta : decoder.rope_theta;
    decoder.window_rope = {keys.positive_or("rope.freq_base_swa", otherwise), {}};
  }
  if (family.ropeless_interval > 0) {
    for (int i = 0; i < decoder.n_layers; ++i) {
      decoder.ropeless_layers.push_back((i + 1) % family.ropeless_interval == 0);
    }
  }
}

// By layer; or every so manieth layer has none.
std::vector<bool> windowed_layers(const GgufKeys& keys, const DecoderConfig& decoder) {
  const std::string key = "attention.sliding_window_pattern";
  int interval = decoder.family->full_layer_interval;
  if (keys.has(key)) {
    const files::GgufFile::Value& held = keys.metadata(key);
    if (const auto* flags = std::get_if<std::vector<bool>>(&held)) {
      if (flags->size() != static_cast<std::size_t>(decoder.n_layers)) {
        keys.fail(key, fmt::format("one for each of {} layers", decoder.n_layers),
                  fmt::to_string(flags->size()));
      }
      return *flags;
    }
    interval = keys.integer(key, 1, limits::kModelLayers);
  } else if (decoder.family->windowed_layers != WindowedLayers::AllButEveryNth) {
    return {};
  }
  std::vector<bool> windowed;
  for (int i = 0; i < decoder.n_layers; ++i) windowed.push_back((i + 1) % interval != 0);
  return windowed;
}

void read_window(const GgufKeys& keys, DecoderConfig& decoder) {
  const std::string key = "attention.sliding_window";
  const int window = keys.has(key) ? keys.integer(key, 0, limits::kModelPositions) : 0;
  if (window == 0) {
    return;
  }
  std::vector<bool> windowed = windowed_layers(keys, decoder);
  const auto n_windowed = std::count(windowed.begin(), windowed.end(), true);
  if (windowed.empty() || n_windowed > 0) {
    decoder.sliding_window = window;
  }
  if (n_windowed > 0 && n_windowed < decoder.n_layers) {
    decoder.windowed_layers = std::move(windowed);
  }
}

void read_settings(const GgufKeys& keys, DecoderConfig& decoder) {
  const Family& family = *decoder.family;
  decoder.activation = family.activation;
  decoder.has_sinks = family.has_sinks;
  if (family.is_embedding_scaled) {
    decoder.embedding_scale = std::sqrt(static_cast<double>(decoder.hidden_size));
  }
  for (const Setting& setting : family.settings) {
    decoder.*setting.member = keys.positive_or(std::string(setting.gguf_key), setting.otherwise);
  }
  if (family.default_query_scalar > 0 && decoder.n_layers == family.gguf_wide_scalar_layers) {
    decoder.attention_scale =
        1.0 / std::sqrt(static_cast<double>(decoder.hidden_size / decoder.n_heads));
  }
}

void read_experts(const GgufKeys& keys, DecoderConfig& decoder) {
  const ExpertRules* rules = decoder.family->experts;
  if (rules == nullptr) {
    return;
  }
  Experts& experts = decoder.experts;
  experts.n = keys.integer("expert_count", 1, limits::kModelDimension);
  experts.n_per_token = keys.integer("expert_used_count", 1, experts.n);
  const std::string size_key = "expert_feed_forward_length";
  experts.intermediate_size = keys.has(size_key)
                                  ? keys.integer(size_key, 1, limits::kModelDimension)
                                  : decoder.intermediate_size;
  experts.swiglu_alpha = rules->swiglu_alpha;
  experts.swiglu_limit = rules->swiglu_limit;
}

}  // namespace

void read_layers(const files::GgufFile& file, const GgufKeys& keys, DecoderConfig& decoder) {
  read_window(keys, decoder);
  read_rope(file, keys, decoder);
  read_settings(keys, decoder);
  read_experts(keys, decoder);
}

}  // namespace labelprobe::weights
