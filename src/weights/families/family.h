// A family of decoders: what is the same in all its models and differs from other families. From it
// follow the keys that config.json has, the names of the parameters in either kind of file, their
// shapes, and where there are biases. Sizes are the model's (DecoderConfig).
//
// The block is that of Llama, with what the family's modules and rules say: norms before attention
// and MLP, behind them, or both; norms of queries and keys; products that several matrices share;
// SiLU or GELU; scales and caps; windows and rotary embedding by layer. Such a family is one file
// of this folder and one line in families.cpp. A block with other parts needs a Role for them here
// and their arithmetic in model/decoder.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "weights/families/decoder_config.h"

namespace labelprobe::weights {

// What a module is for. Embedding, FinalNorm and Head are there once, the others in every block. A
// family has those that its modules name: QueryKeyValue instead of the three, GateUp instead of the
// two, and norms at least one on each way.
enum class Role {
  Embedding,
  InputNorm,
  Query,
  Key,
  Value,
  QueryKeyValue,  // the three, one below the other
  QueryNorm,      // of each head, or of all numbers of a row
  KeyNorm,
  Sinks,  // a score of each head that takes part in each softmax
  AttentionOutput,
  AttentionNorm,  // of what attention adds
  MlpNorm,
  Gate,
  Up,
  GateUp,  // the two, one below the other
  Down,
  Router,      // in layers with experts; there the three that follow are instead of the three above
  ExpertGate,  // of each expert
  ExpertUp,
  ExpertDown,
  MlpOutputNorm,  // of what the MLP adds
  FinalNorm,
  Head,
};

// The lengths that shapes are made of.
enum class Extent {
  None,  // as width: the module is a norm, its weight a vector
  Hidden,
  Inner,
  InnerTwice,
  ExpertInner,
  Experts,
  Heads,
  HeadSize,
  QueryRows,  // heads times their size
  KeyRows,    // of keys, or of values
  QueryKeyValueRows,
  Vocabulary,
};

struct Module {
  Role role;
  // In config.json's models; below "model.layers.N." in a block. {} is an expert's number: in GGUF
  // one tensor has those of all experts.
  std::string_view name;
  std::string_view gguf_name;  // below "blk.N." in a block
  Extent height;
  Extent width;
  bool DecoderConfig::*has_bias = nullptr;  // null: never
};

// Who says whether modules have biases. The tensors of a GGUF file always do.
enum class Bias {
  Never,
  AsConfigured,  // attention_bias, mlp_bias
  Always,
};

// A number of the configuration that some families have.
struct Setting {
  std::string_view key;       // in config.json
  std::string_view gguf_key;  // behind the architecture's name
  double DecoderConfig::*member;
  double otherwise;  // where it is not stated; where it is null, the member stays as it is
};

// Which layers have the window where config.json does not list their types (layer_types).
enum class WindowedLayers {
  All,
  AllButEveryNth,  // family's full_layer_interval, or sliding_window_pattern
  FromMaxWindow,   // those from max_window_layers on
  WithoutRope,
};

// What config.json calls the experts' numbers, and what is taken where it leaves them out.
struct ExpertRules {
  std::string_view count_key;
  std::string_view size_key;
  int n = 0;
  int n_per_token = 0;
  int intermediate_size = 0;
  bool has_norm_switch = false;  // norm_topk_prob, false where it is left out; else it is true
  double swiglu_alpha = 0.0;     // as in Experts
  double swiglu_limit = 0.0;
  // Whether tensors of all experts are transposed, their gates and ups alternating.
  bool are_alternating = false;
};

struct Family {
  std::string_view name;          // for people: "Llama"
  std::string_view architecture;  // in config.json: "LlamaForCausalLM"
  std::string_view model_type;    // in config.json: "llama"
  // general.architecture of its GGUF files; empty = they are written as those of another family.
  std::string_view gguf_architecture = {};
  // llama.cpp turns neighbours (0, 1), (2, 3), .. of a head where transformers turns (0, half),
  // (1, half + 1), ..; for some families its converter reorders the rows of queries and keys.
  bool are_gguf_heads_interleaved = false;
  std::span<const Module> modules;
  Bias qkv_bias = Bias::Never;
  Bias o_bias = Bias::Never;
  Bias mlp_bias = Bias::Never;
  // What transformers takes where config.json leaves out max_position_embeddings, sliding_window.
  int default_max_position = 0;
  int default_window = 0;  // 0 = none
  // Likewise, of files that leave out more; 0 = they have to say it. Without head_dim heads divide
  // hidden_size.
  int default_n_heads = 0;
  int default_n_kv_heads = 0;
  int default_head_dim = 0;
  int default_vocab_size = 0;
  double default_norm_eps = 1e-6;
  bool is_tied_by_default = false;
  // The model is part of one that sees images too: its configuration is text_config, and of the
  // tensors those of the language model count.
  bool is_text_part = false;
  // Whether use_sliding_window has to ask for the window.
  bool has_window_switch = false;
  WindowedLayers windowed_layers = WindowedLayers::All;
  int full_layer_interval = 0;  // AllButEveryNth only
  double default_theta = 10000.0;
  // Layers with a window turn by another theta, and without scaling.
  bool has_window_rope = false;
  double default_window_theta = 0.0;  // 0 = rope_theta
  int ropeless_interval = 0;          // every so manieth layer turns nothing; 0 = all turn
  bool has_partial_rotary = false;    // partial_rotary_factor may be below 1
  Activation activation = Activation::Silu;
  bool are_norms_one_plus = false;
  bool is_embedding_scaled = false;  // by the root of hidden_size
  std::span<const Setting> settings = {};
  // query_pre_attn_scalar where it is not stated; 0 = the family has no such setting. llama.cpp
  // writes it nowhere: it is head_dim, but in models of so many layers hidden_size / heads.
  int default_query_scalar = 0;
  int gguf_wide_scalar_layers = 0;
  bool is_gguf_yarn_truncated = true;  // RopeScaling::is_truncated, which GGUF does not say
  bool has_sinks = false;
  const ExpertRules* experts = nullptr;  // null: the family has none
};

// Every family we know, by name.
std::span<const Family> families();

// "LlamaForCausalLM, MistralForCausalLM, ...": one member of every family that has one, each once.
std::string list_families(std::string_view Family::*member);

bool is_in_block(Role role);
bool is_norm(Role role);
// Whether it is a part of each expert.
bool is_of_expert(Role role);

// Whether the family has a module of this role.
bool has_module(const Family& family, Role role);

// The only one of its role. The family has it.
const Module& module_of(const Family& family, Role role);

}  // namespace labelprobe::weights
