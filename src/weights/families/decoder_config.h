// What a checkpoint says about the decoder it holds: its family, sizes, rotary embedding, which
// parts have biases. One struct for config.json and GGUF headers; the comments give config.json's
// names.
#pragma once

#include <cstdint>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/weights/generation_rules.h"
#include "labelprobe/weights/precision.h"

namespace labelprobe::weights {

struct Family;

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
  const Family* family = nullptr;  // of families(); never null in one that was loaded
  int hidden_size = 0;
  int intermediate_size = 0;
  int n_layers = 0;    // num_hidden_layers
  int n_heads = 0;     // num_attention_heads
  int n_kv_heads = 0;  // num_key_value_heads; divides n_heads
  int head_dim = 0;    // even; need not be hidden_size / n_heads
  int vocab_size = 0;
  int max_position_embeddings = 0;
  // Positions that a token attends to in some layer or all, itself included; 0 = all before it.
  int sliding_window = 0;
  double rms_norm_eps = 1e-6;
  double rope_theta = 10000.0;
  RopeScaling rope_scaling;
  bool tie_word_embeddings = false;  // the embedding is the head
  bool qkv_bias = false;             // of the products that make queries, keys and values
  bool o_bias = false;               // of the one behind the attention
  bool mlp_bias = false;             // of those of the MLP
  // How the weights are stored; modules may be left out. GGUF's block types do not count.
  Quantization quantization = Quantization::None;
  std::vector<TokenId> end_ids;  // generation_config.json before config.json
  // generation_config.json, or config.json where there is none.
  GenerationRules rules;

  // Positions of a text that the decoder computes as its makers do: within the window, full
  // attention and a sliding one are the same, and beyond it only the latter would be right.
  int n_positions() const;
};

// Rotary frequencies after scaling, [head_dim / 2]: position p turns the pair (i, i + head_dim / 2)
// of a head by p * result[i] radians. Computed in float32 in the order of operations of
// transformers, so that angles agree at long positions too.
std::vector<float> rope_frequencies(const DecoderConfig& config);

}  // namespace labelprobe::weights
