// What a checkpoint says about the decoder it holds: its family, sizes, rotary embedding, which
// parts have biases. One struct for config.json and GGUF headers; the comments give config.json's
// names.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/weights/generation_rules.h"
#include "labelprobe/weights/precision.h"

namespace labelprobe::weights {

struct Family;

// How the rotary frequencies of a long-context model differ from plain ones. Lists have one entry
// for each pair of numbers that are turned, [n_rotated() / 2].
struct RopeScaling {
  enum class Kind {
    None,
    Linear,    // every frequency divided by `factor`
    Dynamic,   // theta grows with the text's length beyond max_position_embeddings (NTK)
    Llama3,    // long wavelengths divided by `factor`, short ones kept, a ramp between
    Yarn,      // a ramp over the places of the frequencies; cosines and sines get a factor
    LongRope,  // divided by short_factors, or in texts beyond the original length by long_factors
    Factors,   // every frequency divided by its own entry of `factors` (GGUF's rope_freqs.weight)
  };

  Kind kind = Kind::None;
  double factor = 1.0;                     // LongRope: 0 = longest positions by original ones
  double low_freq_factor = 1.0;            // Llama3 only
  double high_freq_factor = 4.0;           // Llama3 only
  std::int64_t original_max_position = 0;  // Llama3, Yarn and LongRope
  double beta_fast = 32.0;                 // Yarn only
  double beta_slow = 1.0;                  // Yarn only
  double mscale = 0.0;                     // Yarn only; 0 = not stated
  double mscale_all_dim = 0.0;             // Yarn only; 0 = not stated
  bool is_truncated = true;                // Yarn only: the ramp's ends are whole numbers
  std::optional<double> attention_factor;  // Yarn and LongRope; nothing: follows from the others
  std::vector<float> factors;              // Factors only
  std::vector<float> short_factors;        // LongRope only
  std::vector<float> long_factors;         // LongRope only
};

struct Rope {
  double theta = 10000.0;
  RopeScaling scaling;
};

// MLPs that only the tokens use which a router sends there.
struct Experts {
  int n = 0;  // 0: the MLP is one for all tokens
  int n_per_token = 0;
  int intermediate_size = 0;
  bool norm_topk_prob = true;  // the chosen experts' weights sum to 1
  // Numbers of gpt-oss' activation: (up + 1) * gate * sigmoid(alpha * gate), both cut at the limit.
  double swiglu_alpha = 0.0;  // 0: SiLU, not cut
  double swiglu_limit = 0.0;
  std::vector<bool> dense_layers;  // by layer: true has one MLP for all tokens; empty: none has

  bool are_in(int layer) const { return n > 0 && (dense_layers.empty() || !dense_layers[layer]); }
};

enum class Activation { Silu, GeluTanh };

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
  std::vector<bool> windowed_layers;  // by layer: true has the window; empty: all have
  double rms_norm_eps = 1e-6;
  double rope_theta = 10000.0;
  RopeScaling rope_scaling;
  std::optional<Rope> window_rope;    // of layers with a window, where theirs is another one
  std::vector<bool> ropeless_layers;  // by layer: true turns nothing; empty: all turn
  int rotary_dim = 0;                 // numbers of a head that are turned, the first; 0 = all
  Activation activation = Activation::Silu;
  // Weights of norms are stored as what is added to 1. Files of llama.cpp hold the sum.
  bool are_norms_one_plus = false;
  double embedding_scale = 1.0;    // embeddings are multiplied by it
  double residual_scale = 1.0;     // what attention and MLP add is multiplied by it
  double logits_divisor = 1.0;     // logits are divided by it
  double final_softcap = 0.0;      // logits become cap * tanh(logit / cap); 0 = none
  double attention_scale = 0.0;    // of queries times keys; 0 = 1 / sqrt(head_dim)
  double attention_softcap = 0.0;  // of scaled queries times keys, as above; 0 = none
  bool has_sinks = false;          // a learned logit a head that takes part in each softmax
  Experts experts;
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

  // What a layer does; layers count from 0.
  int layer_window(int layer) const;  // 0 = none
  bool layer_has_rope(int layer) const;
  Rope layer_rope(int layer) const;

  int n_rotated() const { return rotary_dim > 0 ? rotary_dim : head_dim; }
  // What queries times keys are multiplied by.
  double score_scale() const;
};

// Rotary frequencies after scaling, [head_dim / 2]: position p turns the pair (i, i + head_dim / 2)
// of a head by p * result[i] radians. Computed in float32 in the order of operations of
// transformers, so that angles agree at long positions too.
std::vector<float> rope_frequencies(const DecoderConfig& config);

}  // namespace labelprobe::weights
