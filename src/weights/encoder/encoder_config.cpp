#include "weights/encoder/encoder_config.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"
#include "labelprobe/files/json.h"

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;

bool ends_with_any(std::string_view text, std::span<const std::string_view> ends) {
  return std::any_of(ends.begin(), ends.end(),
                     [&](std::string_view end) { return text.ends_with(end); });
}

void check_pooling(const fs::path& file) {
  const files::JsonView reader = files::load_json_object(file, ErrorKind::Model);
  for (const auto& [key, mode] : reader.value().items()) {
    const bool is_mean = key == "pooling_mode_mean_tokens";
    if (key == "pooling_mode" && mode != "mean") {
      reader.find(key).fail_expected("\"mean\", the one pooling that is supported");
    }
    if (key.starts_with("pooling_mode_") && mode != is_mean) {
      reader.find(key).fail_expected(is_mean ? "true: only mean pooling is supported"
                                             : "false: only mean pooling is supported");
    }
  }
}

// The modules of sentence-transformers: an encoder in the folder itself, pooling, normalizing.
void check_modules(const fs::path& folder) {
  const fs::path file = folder / "modules.json";
  if (!fs::exists(file)) {
    return;
  }
  const files::JsonView modules = files::load_json(file, ErrorKind::Model);
  constexpr std::array<std::string_view, 3> kKnown = {".Transformer", ".Pooling", ".Normalize"};
  for (const files::JsonView& entry : modules.items()) {
    const std::string& type = entry.at("type").string();
    const std::string& path = entry.at("path").string();
    if (!ends_with_any(type, kKnown)) {
      entry.at("type").fail_expected("Transformer, Pooling or Normalize");
    }
    if (type.ends_with(".Transformer") && !path.empty()) {
      entry.at("path").fail_expected("\"\": the encoder in the folder itself");
    }
    if (type.ends_with(".Pooling")) {
      if (path.empty() || fs::path(path).filename() != path || path == "." || path == "..") {
        entry.at("path").fail_expected("the name of a folder");
      }
      check_pooling(folder / path / "config.json");
    }
  }
}

std::optional<int> max_seq_length(const fs::path& folder) {
  const fs::path file = folder / "sentence_bert_config.json";
  if (!fs::exists(file)) {
    return std::nullopt;
  }
  const files::JsonView reader = files::load_json_object(file, ErrorKind::Model);
  if (reader.boolean_or("do_lower_case", false)) {
    reader.at("do_lower_case").fail_expected("false: lower case is the tokenizer's work");
  }
  return reader.has("max_seq_length")
             ? std::optional(
                   static_cast<int>(reader.at("max_seq_length").integer(2, limits::kEncoderSize)))
             : std::nullopt;
}

EncoderConfig::Kind read_kind(const files::JsonView& reader) {
  const std::string& type = reader.at("model_type").string();
  if (type == "bert") {
    return EncoderConfig::Kind::Bert;
  }
  if (type == "mpnet") {
    return EncoderConfig::Kind::Mpnet;
  }
  reader.at("model_type").fail_expected("\"bert\" or \"mpnet\", the encoders that are supported");
}

void check_supported(const files::JsonView& reader) {
  if (reader.has("hidden_act") && reader.at("hidden_act").string() != "gelu") {
    reader.at("hidden_act").fail_expected("\"gelu\"");
  }
  if (reader.has("position_embedding_type") &&
      reader.at("position_embedding_type").string() != "absolute") {
    reader.at("position_embedding_type").fail_expected("\"absolute\"");
  }
}

}  // namespace

EncoderConfig load_encoder_config(const fs::path& folder) {
  const fs::path file = folder / "config.json";
  if (!fs::exists(file)) {
    throw ModelError(fmt::format(
        "{}: expected the folder of an encoder, found no config.json in it", folder.string()));
  }
  const files::JsonView reader = files::load_json_object(file, ErrorKind::Model);
  const auto size = [&](std::string_view key) {
    return static_cast<int>(reader.at(key).integer(1, limits::kEncoderSize));
  };
  EncoderConfig config;
  config.kind = read_kind(reader);
  check_supported(reader);
  const bool is_bert = config.kind == EncoderConfig::Kind::Bert;
  config.hidden_size = size("hidden_size");
  config.intermediate_size = size("intermediate_size");
  config.n_layers =
      static_cast<int>(reader.at("num_hidden_layers").integer(1, limits::kEncoderLayers));
  config.n_heads = size("num_attention_heads");
  config.vocab_size = size("vocab_size");
  config.n_positions = size("max_position_embeddings");
  if (config.hidden_size % config.n_heads != 0) {
    reader.at("num_attention_heads")
        .fail_expected(fmt::format("a divisor of hidden_size, {}", config.hidden_size));
  }
  if (is_bert) {
    config.n_token_types = reader.has("type_vocab_size") ? size("type_vocab_size") : 2;
  } else {
    config.n_buckets =
        reader.has("relative_attention_num_buckets")
            ? static_cast<int>(
                  reader.at("relative_attention_num_buckets").integer(4, limits::kEncoderSize))
            : 32;
    config.pad_id =
        reader.has("pad_token_id")
            ? static_cast<int>(reader.at("pad_token_id").integer(0, config.vocab_size - 1))
            : 1;
  }
  if (reader.has("layer_norm_eps")) {
    config.norm_eps = reader.at("layer_norm_eps").number();
  }
  // MPNet counts positions from behind the padding token's id.
  const int n_most = is_bert ? config.n_positions : config.n_positions - config.pad_id - 1;
  if (n_most < 2) {
    reader.at("max_position_embeddings").fail_expected("room for two tokens or more");
  }
  config.max_tokens = n_most;
  return config;
}

EncoderConfig load_sentence_encoder_config(const fs::path& folder) {
  EncoderConfig config = load_encoder_config(folder);
  check_modules(folder);
  config.max_tokens =
      std::min(max_seq_length(folder).value_or(config.max_tokens), config.max_tokens);
  return config;
}

}  // namespace labelprobe::weights
