// The header keys of GGUF that describe a decoder (ggml's gguf.md, "LLM" section).
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <string>
#include <variant>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/gguf_vocabulary.h"
#include "labelprobe/files/safetensors.h"

#include "weights/checkpoint/dequantize.h"
#include "weights/checkpoint/foreign_settings.h"
#include "weights/checkpoint/load_config.h"
#include "weights/checkpoint/stored_tensor.h"
#include "weights/families/parameters.h"

namespace labelprobe::weights {
namespace {

constexpr std::int64_t kMaxDimension = std::int64_t{1} << 24;
constexpr std::int64_t kMaxLayers = 4096;
constexpr std::int64_t kMaxPositions = std::int64_t{1} << 30;

[[noreturn]] void fail(const files::GgufFile& file,
                       const std::string& key,
                       const std::string& expected,
                       const std::string& found) {
  throw ModelError(fmt::format("{}: key '{}': expected {}, found {}", file.path().string(), key,
                               expected, found));
}

const files::GgufTensor* find_tensor(const files::GgufFile& file, std::string_view name) {
  const auto& tensors = file.tensors();
  const auto found =
      std::find_if(tensors.begin(), tensors.end(),
                   [&](const files::GgufTensor& tensor) { return tensor.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

// The keys of one architecture, e.g. "llama.block_count".
class Keys {
 public:
  Keys(const files::GgufFile& file, std::string architecture)
      : file_(file), architecture_(std::move(architecture)) {}

  bool has(const std::string& key) const { return file_.has(full(key)); }

  int integer(const std::string& key, std::int64_t low, std::int64_t high) const {
    const std::int64_t held = file_.integer(full(key));
    if (held < low || held > high) {
      fail(key, fmt::format("an integer from {} to {}", low, high), fmt::to_string(held));
    }
    return static_cast<int>(held);
  }

  double positive_number(const std::string& key) const {
    const double held = file_.number(full(key));
    if (!(held > 0.0) || !std::isfinite(held)) {
      fail(key, "a number above 0", fmt::to_string(held));
    }
    return held;
  }

  std::string string(const std::string& key) const { return file_.string(full(key)); }

  // Some keys hold one number, or one per layer; ours must then be equal.
  int integer_of_all_layers(const std::string& key) const {
    const files::GgufFile::Value& held = file_.metadata().find(full(key))->second;
    if (!std::holds_alternative<std::vector<std::uint64_t>>(held) &&
        !std::holds_alternative<std::vector<std::int64_t>>(held)) {
      return integer(key, 1, kMaxDimension);
    }
    const std::vector<std::int64_t> per_layer = file_.integers(full(key));
    if (per_layer.empty() || per_layer[0] < 1 || per_layer[0] > kMaxDimension ||
        std::any_of(per_layer.begin(), per_layer.end(),
                    [&](std::int64_t n) { return n != per_layer[0]; })) {
      fail(key, "the same positive number for every layer", "different ones");
    }
    return static_cast<int>(per_layer[0]);
  }

  [[noreturn]] void fail(const std::string& key,
                         const std::string& expected,
                         const std::string& found) const {
    weights::fail(file_, full(key), expected, found);
  }

 private:
  std::string full(const std::string& key) const {
    return fmt::format("{}.{}", architecture_, key);
  }

  const files::GgufFile& file_;
  std::string architecture_;
};

void read_sizes(const files::GgufFile& file, const Keys& keys, DecoderConfig& decoder) {
  decoder.hidden_size = keys.integer("embedding_length", 1, kMaxDimension);
  decoder.n_layers = keys.integer("block_count", 1, kMaxLayers);
  decoder.intermediate_size = keys.integer("feed_forward_length", 1, kMaxDimension);
  decoder.max_position_embeddings = keys.integer("context_length", 1, kMaxPositions);
  decoder.n_heads = keys.integer("attention.head_count", 1, kMaxDimension);
  decoder.n_kv_heads = keys.has("attention.head_count_kv")
                           ? keys.integer_of_all_layers("attention.head_count_kv")
                           : decoder.n_heads;
  if (decoder.n_heads % decoder.n_kv_heads != 0) {
    keys.fail("attention.head_count_kv",
              fmt::format("a divisor of attention.head_count ({})", decoder.n_heads),
              fmt::to_string(decoder.n_kv_heads));
  }
  decoder.head_dim = keys.has("attention.key_length")
                         ? keys.integer("attention.key_length", 1, kMaxDimension)
                         : decoder.hidden_size / decoder.n_heads;
  if (decoder.head_dim < 2 || decoder.head_dim % 2 != 0) {
    keys.fail("attention.key_length", "an even head dimension", fmt::to_string(decoder.head_dim));
  }
  for (const char* key : {"attention.value_length", "rope.dimension_count"}) {
    if (keys.has(key) && keys.integer(key, 0, kMaxDimension) != decoder.head_dim) {
      keys.fail(key, fmt::format("the head dimension ({})", decoder.head_dim),
                fmt::to_string(keys.integer(key, 0, kMaxDimension)));
    }
  }
  // The vocabulary's size is not always stated; the embedding has one row per token.
  const std::string name = gguf_name(module_of(*decoder.family, Role::Embedding), "weight");
  const files::GgufTensor* embedding = find_tensor(file, name);
  if (embedding == nullptr) {
    throw ModelError(fmt::format("{}: tensor {} is missing", file.path().string(), name));
  }
  if (embedding->shape.size() != 2 || embedding->shape[0] < 1 ||
      embedding->shape[0] > kMaxDimension) {
    throw ModelError(fmt::format("{}: tensor {}: expected shape [vocab, {}], found {}",
                                 file.path().string(), name, decoder.hidden_size,
                                 files::describe_shape(embedding->shape)));
  }
  decoder.vocab_size = static_cast<int>(embedding->shape[0]);
}

// What llama.cpp's converter writes for rope scaling `llama3`: the divisor of every frequency.
RopeScaling read_rope_factors(const files::GgufFile& file,
                              const files::GgufTensor& tensor,
                              int head_dim) {
  const std::vector<std::int64_t> expected_shape = {head_dim / 2};
  if (tensor.type != static_cast<std::uint32_t>(files::GgmlType::F32) ||
      tensor.shape != expected_shape) {
    throw ModelError(
        fmt::format("{}: tensor rope_freqs.weight: expected F32 of shape {}, found {} of shape {}",
                    file.path().string(), files::describe_shape(expected_shape),
                    type_name(tensor.type), files::describe_shape(tensor.shape)));
  }
  RopeScaling scaling;
  scaling.kind = RopeScaling::Kind::Factors;
  scaling.factors.resize(static_cast<std::size_t>(head_dim / 2));
  LABELPROBE_CHECK(tensor.bytes.size() == scaling.factors.size() * sizeof(float));
  std::memcpy(scaling.factors.data(), tensor.bytes.data(), tensor.bytes.size());
  for (const float factor : scaling.factors) {
    if (!(factor > 0.0F) || !std::isfinite(factor)) {
      throw ModelError(
          fmt::format("{}: tensor rope_freqs.weight: expected factors above 0, found {}",
                      file.path().string(), factor));
    }
  }
  return scaling;
}

RopeScaling read_rope_scaling(const files::GgufFile& file, const Keys& keys, int head_dim) {
  RopeScaling scaling;
  const std::string type =
      keys.has("rope.scaling.type") ? keys.string("rope.scaling.type") : "none";
  if (type != "none" && type != "linear") {
    keys.fail("rope.scaling.type", "none or linear", type);
  }
  // `rope.scale_linear` is the spelling of files from before `rope.scaling.*`.
  const bool is_old_linear = type == "none" && keys.has("rope.scale_linear");
  if (type == "linear" || is_old_linear) {
    scaling.kind = RopeScaling::Kind::Linear;
    scaling.factor =
        keys.positive_number(is_old_linear ? "rope.scale_linear" : "rope.scaling.factor");
  }
  if (const files::GgufTensor* factors = find_tensor(file, "rope_freqs.weight")) {
    if (scaling.kind != RopeScaling::Kind::None && scaling.factor != 1.0) {
      keys.fail("rope.scaling.type", "none where there is a tensor rope_freqs.weight", "linear");
    }
    scaling = read_rope_factors(file, *factors, head_dim);
  }
  return scaling;
}

const Family& family_of(const files::GgufFile& file) {
  const std::string& architecture = file.string("general.architecture");
  for (const Family& family : families()) {
    if (!architecture.empty() && architecture == family.gguf_architecture) {
      return family;
    }
  }
  fail(file, "general.architecture",
       fmt::format("one of {}", list_families(&Family::gguf_architecture)), architecture);
}

void refuse_parts(const files::GgufFile& file) {
  if (file.integer_or("split.count", 1) > 1) {
    fail(file, "split.count", "the whole model in one file",
         fmt::format("{}; join the parts with `llama-gguf-split --merge`",
                     file.integer("split.count")));
  }
}

void read_window(const Keys& keys, DecoderConfig& decoder) {
  if (keys.has("attention.sliding_window")) {
    decoder.sliding_window = keys.integer("attention.sliding_window", 0, kMaxPositions);
  }
}

// The tensors say which modules have biases.
void read_biases(const files::GgufFile& file, DecoderConfig& decoder) {
  const Family& family = *decoder.family;
  decoder.qkv_bias = family.qkv_bias == Bias::Always;
  decoder.o_bias = family.o_bias == Bias::Always;
  decoder.mlp_bias = family.mlp_bias == Bias::Always;
  for (const Module& module : family.modules) {
    if (module.has_bias != nullptr && find_tensor(file, gguf_name(module, "bias")) != nullptr) {
      decoder.*module.has_bias = true;
    }
  }
}

// The tokens that end an answer; all must have logits.
void read_end_ids(const files::GgufFile& file, DecoderConfig& decoder) {
  decoder.end_ids = files::end_tokens(file);
  for (const TokenId id : decoder.end_ids) {
    if (id >= decoder.vocab_size) {
      throw ModelError(
          fmt::format("{}: end token {}: expected a token id below {}, the rows of the embedding",
                      file.path().string(), id, decoder.vocab_size));
    }
  }
}

// The decimal number that a float32 was written for: 1.05, not 1.0499999523162842.
double shortest_decimal(float number) {
  std::array<char, 32> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  double decimal = 0.0;
  std::from_chars(digits.data(), written.ptr, decimal);
  return decimal;
}

// What converters write of generation_config.json: only the penalty changes greedy answers.
void read_rules(const files::GgufFile& file, DecoderConfig& decoder) {
  const std::string key = "general.sampling.penalty_repeat";
  decoder.rules.repetition_penalty = shortest_decimal(static_cast<float>(file.number_or(key, 1.0)));
  if (!(decoder.rules.repetition_penalty > 0.0) ||
      !std::isfinite(decoder.rules.repetition_penalty)) {
    fail(file, key, "a number above 0", fmt::to_string(decoder.rules.repetition_penalty));
  }
}

}  // namespace

DecoderConfig load_config(const files::GgufFile& file) {
  DecoderConfig decoder;
  decoder.family = &family_of(file);
  const Keys keys(file, std::string(decoder.family->gguf_architecture));
  refuse_parts(file);
  refuse_foreign_settings(file, *decoder.family);
  read_sizes(file, keys, decoder);
  decoder.rms_norm_eps = keys.positive_number("attention.layer_norm_rms_epsilon");
  if (keys.has("rope.freq_base")) {
    decoder.rope_theta = keys.positive_number("rope.freq_base");
  }
  decoder.rope_scaling = read_rope_scaling(file, keys, decoder.head_dim);
  read_window(keys, decoder);
  decoder.tie_word_embeddings =
      find_tensor(file, gguf_name(module_of(*decoder.family, Role::Head), "weight")) == nullptr;
  read_biases(file, decoder);
  read_end_ids(file, decoder);
  read_rules(file, decoder);
  return decoder;
}

}  // namespace labelprobe::weights
