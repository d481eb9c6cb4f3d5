// The rotary embedding of config.json, in its spellings. Old: rope_theta beside rope_scaling; new:
// both in rope_parameters, or there for each type of layer. Where a file has both, transformers
// believes rope_scaling.
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"

#include "weights/checkpoint/config_layers.h"
#include "weights/families/family.h"

namespace labelprobe::weights {
namespace {

using Kind = RopeScaling::Kind;

double number_or(const files::JsonView& config, std::string_view key, double otherwise) {
  return config.has(key) ? config.at(key).number() : otherwise;
}

double positive_rope_number(const files::JsonView& config, std::string_view key) {
  if (config.at(key).number() <= 0.0) {
    config.at(key).fail_expected("a number above 0");
  }
  return config.at(key).number();
}

double positive_or(const files::JsonView& config, std::string_view key, double otherwise) {
  return config.has(key) ? positive_rope_number(config, key) : otherwise;
}

Kind read_kind(const files::JsonView& rope, const Family& family) {
  const std::string_view type_key = rope.has("rope_type") ? "rope_type" : "type";
  const std::string type = rope.has(type_key) ? rope.at(type_key).string() : "default";
  if (type == "default") return Kind::None;
  if (type == "linear") return Kind::Linear;
  if (type == "dynamic") return Kind::Dynamic;
  if (type == "llama3") return Kind::Llama3;
  // The first releases of Phi-3 call it by other names.
  if (type == "longrope" || type == "su") return Kind::LongRope;
  if (type == "yarn") return family.has_partial_rotary ? Kind::LongRope : Kind::Yarn;
  rope.at(type_key).fail_expected("default, linear, dynamic, llama3, yarn or longrope");
}

std::vector<float> read_factors(const files::JsonView& rope,
                                std::string_view key,
                                const DecoderConfig& decoder) {
  std::vector<float> factors;
  for (const files::JsonView& factor : rope.at(key).items()) {
    if (!(factor.number() > 0.0)) factor.fail_expected("a number above 0");
    factors.push_back(static_cast<float>(factor.number()));
  }
  const auto n_pairs = static_cast<std::size_t>(decoder.n_rotated() / 2);
  if (factors.size() != n_pairs) {
    rope.at(key).fail_expected(fmt::format("{} numbers, one for each pair that is turned", n_pairs),
                               fmt::format("{}", factors.size()));
  }
  return factors;
}

void read_llama3(const files::JsonView& rope, RopeScaling& scaling) {
  scaling.low_freq_factor = positive_rope_number(rope, "low_freq_factor");
  scaling.high_freq_factor = positive_rope_number(rope, "high_freq_factor");
  if (scaling.high_freq_factor <= scaling.low_freq_factor) {
    rope.at("high_freq_factor").fail_expected("more than low_freq_factor");
  }
}

void read_yarn(const files::JsonView& rope, RopeScaling& scaling) {
  scaling.beta_fast = positive_or(rope, "beta_fast", scaling.beta_fast);
  scaling.beta_slow = positive_or(rope, "beta_slow", scaling.beta_slow);
  scaling.mscale = number_or(rope, "mscale", 0.0);
  scaling.mscale_all_dim = number_or(rope, "mscale_all_dim", 0.0);
  scaling.is_truncated = rope.boolean_or("truncate", true);
}

// `config` is the whole of it, which in Phi-3 says the original length.
RopeScaling read_scaling(const files::JsonView& config,
                         const files::JsonView& rope,
                         const DecoderConfig& decoder) {
  RopeScaling scaling;
  scaling.kind = read_kind(rope, *decoder.family);
  if (scaling.kind == Kind::None) {
    return scaling;
  }
  scaling.factor = scaling.kind == Kind::LongRope ? positive_or(rope, "factor", 0.0)
                                                  : positive_rope_number(rope, "factor");
  if (scaling.kind == Kind::Llama3 || scaling.kind == Kind::Yarn ||
      scaling.kind == Kind::LongRope) {
    constexpr std::string_view kOriginal = "original_max_position_embeddings";
    const files::JsonView& stated = config.has(kOriginal) ? config : rope;
    scaling.original_max_position = stated.has(kOriginal)
                                        ? stated.at(kOriginal).integer(1, limits::kModelPositions)
                                        : decoder.max_position_embeddings;
  }
  if (rope.has("attention_factor")) {
    scaling.attention_factor = positive_rope_number(rope, "attention_factor");
  }
  if (scaling.kind == Kind::Llama3) read_llama3(rope, scaling);
  if (scaling.kind == Kind::Yarn) read_yarn(rope, scaling);
  if (scaling.kind == Kind::LongRope) {
    scaling.short_factors = read_factors(rope, "short_factor", decoder);
    scaling.long_factors = read_factors(rope, "long_factor", decoder);
  }
  return scaling;
}

void read_rotary_dim(const files::JsonView& stated, DecoderConfig& decoder) {
  const double share = number_or(stated, "partial_rotary_factor", 1.0);
  if (share == 1.0) {
    return;
  }
  const int n_rotated = static_cast<int>(decoder.head_dim * share);
  if (!decoder.family->has_partial_rotary) {
    stated.at("partial_rotary_factor").fail_expected("1 (rotary embedding of the whole head)");
  }
  if (n_rotated < 2 || n_rotated > decoder.head_dim || n_rotated % 2 != 0) {
    stated.at("partial_rotary_factor")
        .fail_expected(fmt::format("a share of head_dim ({}) that is an even number of at least 2",
                                   decoder.head_dim));
  }
  decoder.rotary_dim = n_rotated;
}

Rope read_one(const files::JsonView& config,
              const files::JsonView& rope,
              double theta,
              DecoderConfig& decoder) {
  read_rotary_dim(rope, decoder);
  return {positive_or(rope, "rope_theta", theta), read_scaling(config, rope, decoder)};
}

bool has_types_of_layers(const files::JsonView& rope) {
  for (const auto& [key, held] : rope.members()) {
    if (held.value().is_object()) return true;
  }
  return false;
}

void set_rope(const Rope& rope, DecoderConfig& decoder) {
  decoder.rope_theta = rope.theta;
  decoder.rope_scaling = rope.scaling;
}

}  // namespace

void read_rope(const files::JsonView& config, DecoderConfig& decoder) {
  const Family& family = *decoder.family;
  const auto is_set = [&](std::string_view key) {
    return config.has(key) &&
           !(config.at(key).value().is_object() && config.at(key).value().empty());
  };
  decoder.rope_theta = positive_or(config, "rope_theta", family.default_theta);
  read_rotary_dim(config, decoder);
  if (family.has_window_rope) {
    const double otherwise =
        family.default_window_theta > 0.0 ? family.default_window_theta : decoder.rope_theta;
    decoder.window_rope = {positive_or(config, "rope_local_base_freq", otherwise), {}};
  }
  const std::string_view rope_key = is_set("rope_scaling") ? "rope_scaling" : "rope_parameters";
  if (!is_set(rope_key)) {
    return;
  }
  const files::JsonView rope = config.at(rope_key);
  if (!has_types_of_layers(rope)) {
    set_rope(read_one(config, rope, decoder.rope_theta, decoder), decoder);
    return;
  }
  for (const auto& [type, held] : rope.members()) {
    if (!held.value().is_object()) continue;
    if (!family.has_window_rope) {
      held.fail_expected("the same rotary embedding in every layer");
    }
    if (type == "full_attention") {
      set_rope(read_one(config, held, decoder.rope_theta, decoder), decoder);
    } else if (type == "sliding_attention") {
      decoder.window_rope = read_one(config, held, decoder.window_rope->theta, decoder);
    } else {
      held.fail_expected("full_attention or sliding_attention");
    }
  }
}

}  // namespace labelprobe::weights
