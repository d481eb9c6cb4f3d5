#include "model/encoder/encoder_config.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "labelprobe/core/error.h"
#include "labelprobe/files/mapped_file.h"

#include "weights/checkpoint/json_file.h"
#include "weights/checkpoint/tensor_loading.h"

namespace labelprobe::model {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMaxSize = 1 << 20;

bool ends_with_any(std::string_view text, std::span<const std::string_view> ends) {
  return std::any_of(ends.begin(), ends.end(),
                     [&](std::string_view end) { return text.ends_with(end); });
}

void check_pooling(const fs::path& file) {
  const nlohmann::json config = weights::load_object(file);
  const weights::JsonReader reader(config, file.string());
  for (const auto& [key, mode] : config.items()) {
    const bool is_mean = key == "pooling_mode_mean_tokens";
    if (key == "pooling_mode" && mode != "mean") {
      reader.fail(key, "\"mean\", the one pooling that is supported");
    }
    if (key.starts_with("pooling_mode_") && mode != is_mean) {
      reader.fail(key, is_mean ? "true: only mean pooling is supported"
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
  const std::string list(files::MappedFile(file).text());
  const nlohmann::json root = weights::parse_object("{\"modules\":" + list + "}", file.string());
  const nlohmann::json& modules = root.at("modules");
  const weights::JsonReader reader(root, file.string());
  if (!modules.is_array()) {
    reader.fail("modules", "a list of modules");
  }
  constexpr std::array<std::string_view, 3> kKnown = {".Transformer", ".Pooling", ".Normalize"};
  for (const nlohmann::json& module : modules) {
    if (!module.is_object()) {
      reader.fail("modules", "a list of objects");
    }
    const weights::JsonReader entry(module, file.string(), "modules.");
    const std::string& type = entry.string("type");
    const std::string& path = entry.string("path");
    if (!ends_with_any(type, kKnown)) {
      entry.fail("type", "Transformer, Pooling or Normalize");
    }
    if (type.ends_with(".Transformer") && !path.empty()) {
      entry.fail("path", "\"\": the encoder in the folder itself");
    }
    if (type.ends_with(".Pooling")) {
      if (path.empty() || fs::path(path).filename() != path || path == "..") {
        entry.fail("path", "the name of a folder");
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
  const nlohmann::json config = weights::load_object(file);
  const weights::JsonReader reader(config, file.string());
  if (reader.boolean_or("do_lower_case", false)) {
    reader.fail("do_lower_case", "false: lower case is the tokenizer's work");
  }
  return reader.has("max_seq_length")
             ? std::optional(static_cast<int>(reader.integer("max_seq_length", 2, kMaxSize)))
             : std::nullopt;
}

EncoderConfig::Kind read_kind(const weights::JsonReader& reader) {
  const std::string& type = reader.string("model_type");
  if (type == "bert") {
    return EncoderConfig::Kind::Bert;
  }
  if (type == "mpnet") {
    return EncoderConfig::Kind::Mpnet;
  }
  reader.fail("model_type", "\"bert\" or \"mpnet\", the sentence encoders that are supported");
}

void check_supported(const weights::JsonReader& reader) {
  if (reader.has("hidden_act") && reader.string("hidden_act") != "gelu") {
    reader.fail("hidden_act", "\"gelu\"");
  }
  if (reader.has("position_embedding_type") &&
      reader.string("position_embedding_type") != "absolute") {
    reader.fail("position_embedding_type", "\"absolute\"");
  }
}

// Of a whole model's tensor "bert.encoder.x" the encoder's own name, "encoder.x".
std::string_view bare_name(std::string_view name) {
  for (const std::string_view prefix : {"bert.", "mpnet.", "auto_model."}) {
    if (name.starts_with(prefix)) {
      return name.substr(prefix.size());
    }
  }
  return name;
}

bool is_beside_the_point(std::string_view name) {
  return name.starts_with("pooler.") || name.starts_with("cls.") || name.starts_with("lm_head.") ||
         name == "embeddings.position_ids";
}

}  // namespace

EncoderConfig load_encoder_config(const fs::path& folder) {
  const fs::path file = folder / "config.json";
  if (!fs::exists(file)) {
    throw ModelError(folder.string() +
                     ": expected the folder of a sentence encoder, found no config.json in it");
  }
  check_modules(folder);
  const nlohmann::json json = weights::load_object(file);
  const weights::JsonReader reader(json, file.string());
  const auto size = [&](std::string_view key) {
    return static_cast<int>(reader.integer(key, 1, kMaxSize));
  };
  EncoderConfig config;
  config.kind = read_kind(reader);
  check_supported(reader);
  const bool is_bert = config.kind == EncoderConfig::Kind::Bert;
  config.hidden_size = size("hidden_size");
  config.intermediate_size = size("intermediate_size");
  config.n_layers = static_cast<int>(reader.integer("num_hidden_layers", 1, 1000));
  config.n_heads = size("num_attention_heads");
  config.vocab_size = size("vocab_size");
  config.n_positions = size("max_position_embeddings");
  if (config.hidden_size % config.n_heads != 0) {
    reader.fail("num_attention_heads",
                "a divisor of hidden_size, " + std::to_string(config.hidden_size));
  }
  if (is_bert) {
    config.n_token_types = reader.has("type_vocab_size") ? size("type_vocab_size") : 2;
  } else {
    config.n_buckets =
        reader.has("relative_attention_num_buckets")
            ? static_cast<int>(reader.integer("relative_attention_num_buckets", 4, kMaxSize))
            : 32;
    config.pad_id = reader.has("pad_token_id")
                        ? static_cast<int>(reader.integer("pad_token_id", 0, config.vocab_size - 1))
                        : 1;
  }
  if (reader.has("layer_norm_eps")) {
    config.norm_eps = reader.number("layer_norm_eps");
  }
  // MPNet counts positions from behind the padding token's id.
  const int n_most = is_bert ? config.n_positions : config.n_positions - config.pad_id - 1;
  if (n_most < 2) {
    reader.fail("max_position_embeddings", "room for two tokens or more");
  }
  config.max_tokens = std::min(max_seq_length(folder).value_or(n_most), n_most);
  return config;
}

EncoderWeights::EncoderWeights(const fs::path& folder)
    : files_(folder, [](std::string_view name) {
        const std::string_view bare = bare_name(name);
        return is_beside_the_point(bare) ? std::string_view() : bare;
      }) {}

at::Tensor EncoderWeights::take(const std::string& name, std::span<const std::int64_t> shape) {
  const weights::StoredTensor& tensor = files_.find(name);
  weights::check_form(tensor, shape);
  taken_.insert(name);
  return weights::load_tensor(tensor, weights::DType::Float32);
}

void EncoderWeights::check_all_taken() const {
  for (const auto& [name, tensor] : files_.tensors()) {
    if (!taken_.contains(name)) {
      throw ModelError(tensor.file.string() + ": tensor " + tensor.file_name +
                       " belongs to no part of the encoder that config.json describes");
    }
  }
}

}  // namespace labelprobe::model
