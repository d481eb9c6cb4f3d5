// config.json and generation_config.json, in the spellings of transformers 4 and 5. Defaults are
// those of transformers' configuration classes: save_pretrained leaves out what equals them.
#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/json.h"

#include "weights/checkpoint/config_generation.h"
#include "weights/checkpoint/config_quantization.h"
#include "weights/checkpoint/foreign_settings.h"
#include "weights/checkpoint/load_config.h"
#include "weights/families/family.h"

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMaxDimension = std::int64_t{1} << 24;
constexpr std::int64_t kMaxLayers = 4096;
constexpr std::int64_t kMaxPositions = std::int64_t{1} << 30;
// The default of max_window_layers in transformers.
constexpr int kDefaultFirstWindowLayer = 28;

const Family& family_of(const files::JsonView& config) {
  if (config.has("architectures")) {
    const nlohmann::json& names = config.at("architectures").value();
    if (names.is_array() && names.size() == 1 && names[0].is_string()) {
      for (const Family& family : families()) {
        if (names[0] == family.architecture) {
          return family;
        }
      }
    }
    config.at("architectures")
        .fail_expected(fmt::format("one of {}", list_families(&Family::architecture)));
  }
  // Files of the first releases name the model type alone.
  for (const Family& family : families()) {
    if (config.at("model_type").string() == family.model_type) {
      return family;
    }
  }
  config.at("model_type")
      .fail_expected(fmt::format("one of {}", list_families(&Family::model_type)));
}

double number_or(const files::JsonView& config, std::string_view key, double otherwise) {
  return config.has(key) ? config.at(key).number() : otherwise;
}

double positive_number(const files::JsonView& config, std::string_view key) {
  if (config.at(key).number() <= 0.0) {
    config.at(key).fail_expected("a number above 0");
  }
  return config.at(key).number();
}

int dimension(const files::JsonView& config, std::string_view key) {
  return static_cast<int>(config.at(key).integer(1, kMaxDimension));
}

// Whether there is a layer to which a window that the configuration gives applies.
bool has_windowed_layer(const files::JsonView& config, const DecoderConfig& decoder) {
  if (!decoder.family->has_window_switch) {
    return true;
  }
  if (!config.boolean_or("use_sliding_window", false)) {
    return false;
  }
  if (config.has("layer_types")) {
    const nlohmann::json& types = config.at("layer_types").value();
    return std::find(types.begin(), types.end(), "sliding_attention") != types.end();
  }
  const std::int64_t first = config.has("max_window_layers")
                                 ? config.at("max_window_layers").integer(0, kMaxLayers)
                                 : kDefaultFirstWindowLayer;
  return first < decoder.n_layers;
}

// A window that a family's own code would not look at counts too: whoever wrote it meant it.
void read_window(const files::JsonView& config, bool is_stated, DecoderConfig& decoder) {
  if (has_windowed_layer(config, decoder)) {
    // Null, which is stated too, means none.
    const int otherwise = is_stated ? 0 : decoder.family->default_window;
    decoder.sliding_window =
        config.has("sliding_window")
            ? static_cast<int>(config.at("sliding_window").integer(1, kMaxPositions))
            : otherwise;
  }
  const bool has_window = decoder.sliding_window > 0;
  if (!has_window && !decoder.family->has_window_switch &&
      config.boolean_or("use_sliding_window", false)) {
    config.at("use_sliding_window").fail_expected("false where there is no sliding_window");
  }
  if (config.has("layer_types")) {
    for (const nlohmann::json& type : config.at("layer_types").value()) {
      if (type != "full_attention" && !(has_window && type == "sliding_attention")) {
        config.at("layer_types")
            .fail_expected(has_window ? "full_attention or sliding_attention in every layer"
                                      : "full_attention in every layer");
      }
    }
  }
}

void read_biases(const files::JsonView& config, DecoderConfig& decoder) {
  const auto read = [&](std::string_view key, Bias bias) {
    return bias == Bias::Always || (bias == Bias::AsConfigured && config.boolean_or(key, false));
  };
  const Family& family = *decoder.family;
  decoder.qkv_bias = read("attention_bias", family.qkv_bias);
  decoder.o_bias = read("attention_bias", family.o_bias);
  decoder.mlp_bias = read("mlp_bias", family.mlp_bias);
  const auto refuse_unless = [&](bool has_bias, std::string_view key) {
    if (!has_bias && config.boolean_or(key, false)) {
      config.at(key).fail_expected(
          fmt::format("false (a {} does not have such biases)", family.architecture));
    }
  };
  refuse_unless(decoder.qkv_bias, "attention_bias");
  refuse_unless(decoder.mlp_bias, "mlp_bias");
}

RopeScaling read_rope_scaling(const files::JsonView& rope, int max_position_embeddings) {
  const std::string_view type_key = rope.has("rope_type") ? "rope_type" : "type";
  const std::string type = rope.has(type_key) ? rope.at(type_key).string() : "default";
  RopeScaling scaling;
  if (type == "default") {
    return scaling;
  }
  if (type != "linear" && type != "llama3") {
    rope.at(type_key).fail_expected("default, linear or llama3");
  }
  scaling.kind = type == "linear" ? RopeScaling::Kind::Linear : RopeScaling::Kind::Llama3;
  scaling.factor = positive_number(rope, "factor");
  if (scaling.kind == RopeScaling::Kind::Llama3) {
    scaling.low_freq_factor = positive_number(rope, "low_freq_factor");
    scaling.high_freq_factor = positive_number(rope, "high_freq_factor");
    if (scaling.high_freq_factor <= scaling.low_freq_factor) {
      rope.at("high_freq_factor").fail_expected("more than low_freq_factor");
    }
    scaling.original_max_position =
        rope.has("original_max_position_embeddings")
            ? rope.at("original_max_position_embeddings").integer(1, kMaxPositions)
            : max_position_embeddings;
  }
  return scaling;
}

// Old spelling: rope_theta beside rope_scaling; new: both in rope_parameters. Where a file has
// both, transformers believes rope_scaling.
void read_rope(const files::JsonView& config, DecoderConfig& decoder) {
  const auto is_set = [&](std::string_view key) {
    return config.has(key) &&
           !(config.at(key).value().is_object() && config.at(key).value().empty());
  };
  const std::string_view rope_key = is_set("rope_scaling") ? "rope_scaling" : "rope_parameters";
  const auto read_common = [&](const files::JsonView& reader) {
    if (reader.has("rope_theta")) {
      decoder.rope_theta = positive_number(reader, "rope_theta");
    }
    if (number_or(reader, "partial_rotary_factor", 1.0) != 1.0) {
      reader.at("partial_rotary_factor").fail_expected("1 (rotary embedding of the whole head)");
    }
  };
  read_common(config);
  if (is_set(rope_key)) {
    const files::JsonView rope = config.at(rope_key);
    for (const auto& [key, held] : config.at(rope_key).value().items()) {
      if (held.is_object()) {
        rope.at(key).fail_expected("the same rotary embedding in every layer");
      }
    }
    read_common(rope);
    decoder.rope_scaling = read_rope_scaling(rope, decoder.max_position_embeddings);
  }
}

void read_sizes(const files::JsonView& config, DecoderConfig& decoder) {
  decoder.hidden_size = dimension(config, "hidden_size");
  decoder.intermediate_size = dimension(config, "intermediate_size");
  decoder.n_layers = static_cast<int>(config.at("num_hidden_layers").integer(1, kMaxLayers));
  decoder.n_heads = dimension(config, "num_attention_heads");
  decoder.n_kv_heads = config.has("num_key_value_heads") ? dimension(config, "num_key_value_heads")
                                                         : decoder.n_heads;
  if (decoder.n_heads % decoder.n_kv_heads != 0) {
    config.at("num_key_value_heads")
        .fail_expected(fmt::format("a divisor of num_attention_heads ({})", decoder.n_heads));
  }
  decoder.vocab_size = dimension(config, "vocab_size");
  decoder.max_position_embeddings =
      config.has("max_position_embeddings")
          ? static_cast<int>(config.at("max_position_embeddings").integer(1, kMaxPositions))
          : decoder.family->default_max_position;
  if (config.has("head_dim")) {
    decoder.head_dim = dimension(config, "head_dim");
  } else if (decoder.hidden_size % decoder.n_heads == 0) {
    decoder.head_dim = decoder.hidden_size / decoder.n_heads;
  } else {
    config.at("hidden_size")
        .fail_expected(fmt::format(
            "a multiple of num_attention_heads ({}) where there is no head_dim", decoder.n_heads));
  }
  if (decoder.head_dim % 2 != 0) {
    config.at(config.has("head_dim") ? "head_dim" : "hidden_size")
        .fail_expected("an even head dimension", fmt::to_string(decoder.head_dim));
  }
}

}  // namespace

DecoderConfig load_config(const fs::path& folder) {
  const fs::path path = folder / "config.json";
  if (!fs::exists(path)) {
    throw ModelError(fmt::format("{}: expected a model folder with config.json, found no such file",
                                 folder.string()));
  }
  const files::JsonView config = files::load_json_object(path, ErrorKind::Model);
  DecoderConfig decoder;
  decoder.family = &family_of(config);
  refuse_foreign_settings(config);
  read_sizes(config, decoder);
  if (config.has("rms_norm_eps")) {
    decoder.rms_norm_eps = positive_number(config, "rms_norm_eps");
  }
  read_rope(config, decoder);
  read_window(config, config.value().contains("sliding_window"), decoder);
  decoder.tie_word_embeddings = config.boolean_or("tie_word_embeddings", false);
  read_biases(config, decoder);
  decoder.quantization = read_quantization(config);
  read_end_ids(config, decoder);
  // As transformers has it: where there is a file for these settings, config.json's do not count.
  const fs::path generation_path = folder / "generation_config.json";
  files::JsonView generation = config;
  if (fs::exists(generation_path)) {
    generation = files::load_json_object(generation_path, ErrorKind::Model);
    read_end_ids(generation, decoder);
  }
  decoder.rules = read_generation_rules(generation, decoder.vocab_size);
  return decoder;
}

}  // namespace labelprobe::weights
