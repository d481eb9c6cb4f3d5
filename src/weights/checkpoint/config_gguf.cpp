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
#include "labelprobe/core/limits.h"
#include "labelprobe/files/gguf_vocabulary.h"
#include "labelprobe/files/safetensors.h"

#include "weights/checkpoint/foreign_settings.h"
#include "weights/checkpoint/gguf_keys.h"
#include "weights/checkpoint/load_config.h"
#include "weights/checkpoint/stored_tensor.h"
#include "weights/families/parameters.h"

namespace labelprobe::weights {
namespace {

void read_sizes(const files::GgufFile& file, const GgufKeys& keys, DecoderConfig& decoder) {
  decoder.hidden_size = keys.integer("embedding_length", 1, limits::kModelDimension);
  decoder.n_layers = keys.integer("block_count", 1, limits::kModelLayers);
  decoder.intermediate_size = keys.integer("feed_forward_length", 1, limits::kModelDimension);
  decoder.max_position_embeddings = keys.integer("context_length", 1, limits::kModelPositions);
  decoder.n_heads = keys.integer("attention.head_count", 1, limits::kModelDimension);
  decoder.n_kv_heads = keys.has("attention.head_count_kv")
                           ? keys.integer_of_all_layers("attention.head_count_kv")
                           : decoder.n_heads;
  if (decoder.n_heads % decoder.n_kv_heads != 0) {
    keys.fail("attention.head_count_kv",
              fmt::format("a divisor of attention.head_count ({})", decoder.n_heads),
              fmt::to_string(decoder.n_kv_heads));
  }
  decoder.head_dim = keys.has("attention.key_length")
                         ? keys.integer("attention.key_length", 1, limits::kModelDimension)
                         : decoder.hidden_size / decoder.n_heads;
  if (decoder.head_dim < 2 || decoder.head_dim % 2 != 0) {
    keys.fail("attention.key_length", "an even head dimension", fmt::to_string(decoder.head_dim));
  }
  const std::string value_key = "attention.value_length";
  if (keys.has(value_key) &&
      keys.integer(value_key, 0, limits::kModelDimension) != decoder.head_dim) {
    keys.fail(value_key, fmt::format("the head dimension ({})", decoder.head_dim),
              fmt::to_string(keys.integer(value_key, 0, limits::kModelDimension)));
  }
  // The vocabulary's size is not always stated; the embedding has one row per token.
  const std::string name = gguf_name(module_of(*decoder.family, Role::Embedding), "weight");
  const files::GgufTensor* embedding = find_tensor(file, name);
  if (embedding == nullptr) {
    throw ModelError(fmt::format("{}: tensor {} is missing", file.path().string(), name));
  }
  if (embedding->shape.size() != 2 || embedding->shape[0] < 1 ||
      embedding->shape[0] > limits::kModelDimension) {
    throw ModelError(fmt::format("{}: tensor {}: expected shape [vocab, {}], found {}",
                                 file.path().string(), name, decoder.hidden_size,
                                 files::describe_shape(embedding->shape)));
  }
  decoder.vocab_size = static_cast<int>(embedding->shape[0]);
}

// Some architectures are those of two families: Mixtral's is Llama's, OLMo 3's is OLMo 2's.
bool fits(const files::GgufFile& file, const Family& family) {
  const std::string architecture(family.gguf_architecture);
  const bool has_experts = file.integer_or(architecture + ".expert_count", 0) > 0;
  if (has_experts != (family.experts != nullptr) && architecture == "llama") {
    return false;
  }
  return architecture != "olmo2" ||
         file.has("olmo2.attention.sliding_window") == (family.default_window > 0);
}

const Family& family_of(const files::GgufFile& file) {
  const std::string& architecture = file.string("general.architecture");
  const Family* found = nullptr;
  for (const Family& family : families()) {
    if (!architecture.empty() && architecture == family.gguf_architecture &&
        (found == nullptr || fits(file, family))) {
      found = &family;
    }
  }
  if (found != nullptr) {
    return *found;
  }
  fail_key(file, "general.architecture",
           fmt::format("one of {} (src/README.md says how a family is added)",
                       list_families(&Family::gguf_architecture)),
           architecture);
}

void refuse_parts(const files::GgufFile& file) {
  if (file.integer_or("split.count", 1) > 1) {
    fail_key(file, "split.count", "the whole model in one file",
             fmt::format("{}; join the parts with `llama-gguf-split --merge`",
                         file.integer("split.count")));
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
    fail_key(file, key, "a number above 0", fmt::to_string(decoder.rules.repetition_penalty));
  }
}

}  // namespace

DecoderConfig load_config(const files::GgufFile& file) {
  DecoderConfig decoder;
  decoder.family = &family_of(file);
  const GgufKeys keys(file, std::string(decoder.family->gguf_architecture));
  refuse_parts(file);
  refuse_foreign_settings(file, *decoder.family);
  read_sizes(file, keys, decoder);
  decoder.rms_norm_eps = keys.positive_number("attention.layer_norm_rms_epsilon");
  read_layers(file, keys, decoder);
  decoder.tie_word_embeddings =
      find_tensor(file, gguf_name(module_of(*decoder.family, Role::Head), "weight")) == nullptr;
  read_biases(file, decoder);
  read_end_ids(file, decoder);
  read_rules(file, decoder);
  return decoder;
}

}  // namespace labelprobe::weights
