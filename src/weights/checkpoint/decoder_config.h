// What a checkpoint says about the decoder it holds: sizes, rotary embedding, which parts have
// biases. One struct for config.json and GGUF headers; the comments give config.json's names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/files/gguf.h"
#include "labelprobe/weights/precision.h"

namespace labelprobe::weights {

// How the rotary frequencies of a long-context model differ from plain ones.
struct RopeScaling {
  enum class Kind {
    None,
    Linear,   // every frequency divided by `factor`
    Llama3,   // long wavelengths divided by `factor`, short ones kept, a ramp between
    Factors,  // every frequency divided by its own entry of `factors` (GGUF's rope_freqs.weight)
  };

  Kind kind = Kind::None;
  double factor = 1.0;
  double low_freq_factor = 1.0;            // Llama3 only
  double high_freq_factor = 4.0;           // Llama3 only
  std::int64_t original_max_position = 0;  // Llama3 only
  std::vector<float> factors;              // Factors only, [head_dim / 2]
};

struct DecoderConfig {
  std::string architecture;  // "LlamaForCausalLM" or "Qwen2ForCausalLM"
  int hidden_size = 0;
  int intermediate_size = 0;
  int n_layers = 0;    // num_hidden_layers
  int n_heads = 0;     // num_attention_heads
  int n_kv_heads = 0;  // num_key_value_heads; divides n_heads
  int head_dim = 0;    // even; need not be hidden_size / n_heads
  int vocab_size = 0;
  int max_position_embeddings = 0;
  double rms_norm_eps = 1e-6;
  double rope_theta = 10000.0;
  RopeScaling rope_scaling;
  bool tie_word_embeddings = false;  // the head is model.embed_tokens.weight; no lm_head.weight
  bool qkv_bias = false;             // self_attn.{q,k,v}_proj.bias
  bool o_bias = false;               // self_attn.o_proj.bias
  bool mlp_bias = false;             // mlp.{gate,up,down}_proj.bias
  // Of the weights as they are stored; modules may be left out. GGUF's block types do not count.
  Quantization quantization = Quantization::None;
  std::vector<TokenId> end_ids;     // generation_config.json before config.json
  double repetition_penalty = 1.0;  // as above
};

// The parameters a decoder of this configuration has, by their Hugging Face names and shapes.
struct Parameter {
  std::string name;
  std::vector<std::int64_t> shape;
};
std::vector<Parameter> parameters_of(const DecoderConfig& config);

// Whether the parameter is the weight of a linear layer of a decoder block: those are the ones that
// quantisation is about.
bool is_block_linear(std::string_view name);

// Rotary frequencies after scaling, [head_dim / 2]: position p turns the pair (i, i + head_dim / 2)
// of a head by p * result[i] radians. Computed in float32 in the order of operations of
// transformers, so that angles agree at long positions too.
std::vector<float> rope_frequencies(const DecoderConfig& config);

// From `folder`/config.json and, where present, generation_config.json. Throws ModelError naming
// file, key, expected and found for anything missing, malformed or not supported.
DecoderConfig load_config(const std::filesystem::path& folder);

// From the header of a GGUF file and the presence and shapes of its tensors. Throws as above.
DecoderConfig load_config(const files::GgufFile& file);

}  // namespace labelprobe::weights
