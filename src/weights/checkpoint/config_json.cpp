// config.json and generation_config.json, in the spellings of transformers 4 and 5. Defaults are
// those of transformers' configuration classes: save_pretrained leaves out what equals them.
#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"
#include "labelprobe/files/json.h"

#include "weights/checkpoint/config_generation.h"
#include "weights/checkpoint/config_layers.h"
#include "weights/checkpoint/config_quantization.h"
#include "weights/checkpoint/foreign_settings.h"
#include "weights/checkpoint/load_config.h"
#include "weights/families/family.h"

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHowToAdd = "src/README.md says how a family is added";

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
        .fail_expected(
            fmt::format("one of {} ({})", list_families(&Family::architecture), kHowToAdd));
  }
  // Files of the first releases name the model type alone.
  for (const Family& family : families()) {
    if (config.at("model_type").string() == family.model_type) {
      return family;
    }
  }
  config.at("model_type")
      .fail_expected(fmt::format("one of {} ({})", list_families(&Family::model_type), kHowToAdd));
}

double positive_number(const files::JsonView& config, std::string_view key) {
  if (config.at(key).number() <= 0.0) {
    config.at(key).fail_expected("a number above 0");
  }
  return config.at(key).number();
}

int dimension(const files::JsonView& config, std::string_view key) {
  return static_cast<int>(config.at(key).integer(1, limits::kModelDimension));
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

// As dimension(); where the file leaves the key out, what the family's models have, if anything.
int dimension_or(const files::JsonView& config, std::string_view key, int otherwise) {
  return otherwise > 0 && !config.has(key) ? otherwise : dimension(config, key);
}

void read_sizes(const files::JsonView& config, DecoderConfig& decoder) {
  const Family& family = *decoder.family;
  decoder.hidden_size = dimension(config, "hidden_size");
  decoder.intermediate_size = dimension(config, "intermediate_size");
  decoder.n_layers =
      static_cast<int>(config.at("num_hidden_layers").integer(1, limits::kModelLayers));
  decoder.n_heads = dimension_or(config, "num_attention_heads", family.default_n_heads);
  decoder.n_kv_heads =
      dimension_or(config, "num_key_value_heads",
                   family.default_n_kv_heads > 0 ? family.default_n_kv_heads : decoder.n_heads);
  if (decoder.n_heads % decoder.n_kv_heads != 0) {
    config.at("num_key_value_heads")
        .fail_expected(fmt::format("a divisor of num_attention_heads ({})", decoder.n_heads));
  }
  decoder.vocab_size = dimension_or(config, "vocab_size", family.default_vocab_size);
  decoder.max_position_embeddings =
      config.has("max_position_embeddings")
          ? static_cast<int>(
                config.at("max_position_embeddings").integer(1, limits::kModelPositions))
          : family.default_max_position;
  if (config.has("head_dim") || family.default_head_dim > 0) {
    decoder.head_dim = dimension_or(config, "head_dim", family.default_head_dim);
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
  const files::JsonView whole = files::load_json_object(path, ErrorKind::Model);
  DecoderConfig decoder;
  decoder.family = &family_of(whole);
  const Family& family = *decoder.family;
  const files::JsonView config = family.is_text_part ? whole.at("text_config") : whole;
  refuse_foreign_settings(config, family);
  read_sizes(config, decoder);
  decoder.rms_norm_eps = config.has("rms_norm_eps") ? positive_number(config, "rms_norm_eps")
                                                    : family.default_norm_eps;
  read_window(config, decoder);
  read_rope(config, decoder);
  read_settings(config, decoder);
  read_experts(config, decoder);
  decoder.tie_word_embeddings = config.boolean_or(
      "tie_word_embeddings", whole.boolean_or("tie_word_embeddings", family.is_tied_by_default));
  read_biases(config, decoder);
  decoder.quantization = read_quantization(whole);
  read_end_ids(config, decoder);
  if (family.is_text_part) {
    read_end_ids(whole, decoder);
  }
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
