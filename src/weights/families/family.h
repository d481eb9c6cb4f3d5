// A family of decoders: what is the same in all its models and differs from other families. From it
// follow the keys that config.json has, the names of the parameters in either kind of file, their
// shapes, and where there are biases. Sizes are the model's (DecoderConfig).
//
// Every family of today has the block of Llama: RMS norms before attention and MLP, rotary
// embedding of whole heads, grouped keys and values, an MLP gated by SiLU. A family with that block
// is one file of this folder and one line in families.cpp. One whose block has more, such as norms
// of queries and keys, needs a Role for it here and its arithmetic in model/decoder.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "weights/families/decoder_config.h"

namespace labelprobe::weights {

// What a module is for. Embedding, FinalNorm and Head are there once, the others in every block.
enum class Role {
  Embedding,
  InputNorm,
  Query,
  Key,
  Value,
  AttentionOutput,
  MlpNorm,
  Gate,
  Up,
  Down,
  FinalNorm,
  Head,
};

// The lengths that shapes are made of.
enum class Extent {
  None,  // as width: the module is a norm, its weight a vector
  Hidden,
  Inner,
  QueryRows,  // heads times their size
  KeyRows,    // of keys, or of values
  Vocabulary,
};

struct Module {
  Role role;
  std::string_view name;       // in config.json's models; below "model.layers.N." in a block
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
  // Whether use_sliding_window has to ask for the window, and max_window_layers or layer_types say
  // which layers have it.
  bool has_window_switch = false;
};

// Every family we know, by name.
std::span<const Family> families();

// "LlamaForCausalLM, MistralForCausalLM, ...": one member of every family that has one.
std::string list_families(std::string_view Family::*member);

bool is_in_block(Role role);

// The only one of its role. The family has it.
const Module& module_of(const Family& family, Role role);

}  // namespace labelprobe::weights
