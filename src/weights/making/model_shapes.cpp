#include "weights/making/model_shapes.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "weights/families/llama.h"
#include "weights/families/qwen2.h"
#include "weights/families/qwen3.h"

namespace labelprobe::weights {
namespace {

using Json = nlohmann::ordered_json;

struct Shape {
  ModelShape shown;
  const Family* family = &kLlama;
  int hidden_size = 0;
  int intermediate_size = 0;
  int n_heads = 0;
  int n_kv_heads = 0;
  int max_position_embeddings = 0;
  double rms_norm_eps = 1e-5;
  double rope_theta = 10000.0;
  double rope_factor = 0.0;  // of Llama 3's scaling; 0 = none
  bool tie_word_embeddings = false;
  int bos_id = 0;
  std::array<int, 3> eos_ids = {-1, -1, -1};  // -1 = no further one
};

// Sizes of one model: hidden, intermediate, heads, key-value heads.
struct Sizes {
  int hidden = 0;
  int intermediate = 0;
  int n_heads = 0;
  int n_kv_heads = 0;
};

constexpr Shape with_sizes(ModelShape shown, Sizes sizes) {
  Shape shape;
  shape.shown = shown;
  shape.hidden_size = sizes.hidden;
  shape.intermediate_size = sizes.intermediate;
  shape.n_heads = sizes.n_heads;
  shape.n_kv_heads = sizes.n_kv_heads;
  return shape;
}

constexpr Shape llama2(ModelShape shown, Sizes sizes) {
  Shape shape = with_sizes(shown, sizes);
  shape.max_position_embeddings = 4096;
  shape.bos_id = 1;
  shape.eos_ids[0] = 2;
  return shape;
}

// Bytes as tokens, two more begin and end a text: small enough for a look, large enough to fill
// registers and blocks.
constexpr Shape of_bytes(Shape shape) {
  shape.bos_id = 256;
  shape.eos_ids[0] = 257;
  return shape;
}

constexpr Shape code_llama(ModelShape shown, Sizes sizes) {
  Shape shape = llama2(shown, sizes);
  shape.max_position_embeddings = 16384;
  shape.rope_theta = 1000000.0;
  return shape;
}

// 3.1 and later. The smaller ones, of 3.2, have no head of their own.
constexpr Shape llama3(ModelShape shown, Sizes sizes, double rope_factor, bool is_tied) {
  Shape shape = with_sizes(shown, sizes);
  shape.max_position_embeddings = 131072;
  shape.rope_theta = 500000.0;
  shape.rope_factor = rope_factor;
  shape.tie_word_embeddings = is_tied;
  shape.bos_id = 128000;
  shape.eos_ids[0] = 128001;
  return shape;
}

// Published with its instruction tuning only, which ends a text in more than one way.
constexpr Shape tuned(Shape shape) {
  shape.eos_ids = {128001, 128008, 128009};
  return shape;
}

constexpr Shape smollm2(ModelShape shown, Sizes sizes, double rope_theta) {
  Shape shape = with_sizes(shown, sizes);
  shape.max_position_embeddings = 8192;
  shape.rope_theta = rope_theta;
  shape.tie_word_embeddings = true;
  shape.eos_ids[0] = 0;
  return shape;
}

constexpr Shape qwen2(ModelShape shown, Sizes sizes) {
  Shape shape = with_sizes(shown, sizes);
  shape.family = &kQwen2;
  shape.max_position_embeddings = 131072;
  shape.rms_norm_eps = 1e-6;
  shape.rope_theta = 1000000.0;
  shape.bos_id = 151643;
  shape.eos_ids[0] = 151643;
  return shape;
}

constexpr Shape qwen3(ModelShape shown, Sizes sizes) {
  Shape shape = qwen2(shown, sizes);
  shape.family = &kQwen3;
  shape.max_position_embeddings = 40960;
  return shape;
}

constexpr std::array kShapes = {
    llama3({"llama-3.1-8b", "Llama 3.1 8B", 32, 128256, 8'030'261'248},
           {4096, 14336, 32, 8},
           8.0,
           false),
    llama3({"llama-3.1-70b", "Llama 3.1 70B", 80, 128256, 70'553'706'496},
           {8192, 28672, 64, 8},
           8.0,
           false),
    llama3({"llama-3.1-405b", "Llama 3.1 405B", 126, 128256, 405'853'388'800},
           {16384, 53248, 128, 8},
           8.0,
           false),
    llama3({"llama-3.2-1b", "Llama 3.2 1B", 16, 128256, 1'235'814'400},
           {2048, 8192, 32, 8},
           32.0,
           true),
    llama3({"llama-3.2-3b", "Llama 3.2 3B", 28, 128256, 3'212'749'824},
           {3072, 8192, 24, 8},
           32.0,
           true),
    tuned(llama3({"llama-3.3-70b", "Llama 3.3 70B Instruct", 80, 128256, 70'553'706'496},
                 {8192, 28672, 64, 8},
                 8.0,
                 false)),
    llama2({"llama-2-7b", "Llama 2 7B", 32, 32000, 6'738'415'616}, {4096, 11008, 32, 32}),
    llama2({"llama-2-13b", "Llama 2 13B", 40, 32000, 13'015'864'320}, {5120, 13824, 40, 40}),
    code_llama({"codellama-34b", "Code Llama 34B", 48, 32000, 33'743'970'304},
               {8192, 22016, 64, 8}),
    smollm2({"smollm2-135m", "SmolLM2 135M", 30, 49152, 134'515'008}, {576, 1536, 9, 3}, 100000.0),
    smollm2({"smollm2-360m", "SmolLM2 360M", 32, 49152, 361'821'120}, {960, 2560, 15, 5}, 100000.0),
    smollm2(
        {"smollm2-1.7b", "SmolLM2 1.7B", 24, 49152, 1'711'376'384}, {2048, 8192, 32, 32}, 130000.0),
    of_bytes(llama2({"tiny", "bytes as tokens, for tries", 4, 259, 1'674'048}, {192, 512, 6, 2})),
    qwen2({"qwen2.5-7b", "Qwen2.5 7B", 28, 152064, 7'615'616'512}, {3584, 18944, 28, 4}),
    qwen3({"qwen3-8b", "Qwen3 8B", 36, 151936, 8'190'735'360}, {4096, 12288, 32, 8}),
};

const Shape& shape_of(std::string_view name) {
  std::vector<std::string> known;
  for (const Shape& shape : kShapes) {
    if (shape.shown.name == name) {
      return shape;
    }
    known.emplace_back(shape.shown.name);
  }
  throw ConfigError(unknown_choice("shape", name, known));
}

// One id alone, several as a list.
Json end_ids_of(const Shape& shape) {
  if (shape.eos_ids[1] < 0) {
    return shape.eos_ids[0];
  }
  return shape.eos_ids;
}

}  // namespace

std::span<const ModelShape> model_shapes() {
  static const std::vector<ModelShape> shown = [] {
    std::vector<ModelShape> all;
    for (const Shape& shape : kShapes) {
      all.push_back(shape.shown);
    }
    return all;
  }();
  return shown;
}

const ModelShape& model_shape(std::string_view name) {
  return shape_of(name).shown;
}

std::string config_of(std::string_view name, int n_layers, DType dtype) {
  const Shape& shape = shape_of(name);
  Json config;
  config["architectures"] = {shape.family->architecture};
  config["model_type"] = shape.family->model_type;
  config["bos_token_id"] = shape.bos_id;
  config["eos_token_id"] = end_ids_of(shape);
  config["hidden_act"] = "silu";
  config["hidden_size"] = shape.hidden_size;
  config["initializer_range"] = 0.02;
  config["intermediate_size"] = shape.intermediate_size;
  config["max_position_embeddings"] = shape.max_position_embeddings;
  config["num_attention_heads"] = shape.n_heads;
  config["num_hidden_layers"] = n_layers > 0 ? n_layers : shape.shown.n_layers;
  config["num_key_value_heads"] = shape.n_kv_heads;
  config["rms_norm_eps"] = shape.rms_norm_eps;
  config["rope_theta"] = shape.rope_theta;
  if (shape.rope_factor > 0.0) {
    config["rope_scaling"] = {{"factor", shape.rope_factor},
                              {"high_freq_factor", 4.0},
                              {"low_freq_factor", 1.0},
                              {"original_max_position_embeddings", 8192},
                              {"rope_type", "llama3"}};
  }
  if (shape.family->qkv_bias == Bias::AsConfigured) {
    config["attention_bias"] = false;
    config["head_dim"] = shape.hidden_size / shape.n_heads;
    config["mlp_bias"] = false;
  }
  if (shape.family->has_window_switch) {
    config["use_sliding_window"] = false;
  }
  config["tie_word_embeddings"] = shape.tie_word_embeddings;
  config["torch_dtype"] = dtype_name(dtype);
  config["use_cache"] = true;
  config["vocab_size"] = shape.shown.vocab_size;
  return fmt::format("{}\n", config.dump(2));
}

DecoderConfig decoder_config_of(std::string_view name, int n_layers) {
  const Shape& shape = shape_of(name);
  DecoderConfig config;
  config.family = shape.family;
  config.hidden_size = shape.hidden_size;
  config.intermediate_size = shape.intermediate_size;
  config.n_layers = n_layers > 0 ? n_layers : shape.shown.n_layers;
  config.n_heads = shape.n_heads;
  config.n_kv_heads = shape.n_kv_heads;
  config.head_dim = shape.hidden_size / shape.n_heads;
  config.vocab_size = shape.shown.vocab_size;
  config.max_position_embeddings = shape.max_position_embeddings;
  config.rms_norm_eps = shape.rms_norm_eps;
  config.rope_theta = shape.rope_theta;
  if (shape.rope_factor > 0.0) {
    RopeScaling& scaling = config.rope_scaling;
    scaling.kind = RopeScaling::Kind::Llama3;
    scaling.factor = shape.rope_factor;
    scaling.low_freq_factor = 1.0;
    scaling.high_freq_factor = 4.0;
    scaling.original_max_position = 8192;
  }
  config.tie_word_embeddings = shape.tie_word_embeddings;
  config.qkv_bias = shape.family->qkv_bias == Bias::Always;
  return config;
}

std::string generation_config_of(std::string_view name) {
  const Shape& shape = shape_of(name);
  const Json config = {{"bos_token_id", shape.bos_id}, {"eos_token_id", end_ids_of(shape)}};
  return fmt::format("{}\n", config.dump(2));
}

}  // namespace labelprobe::weights
