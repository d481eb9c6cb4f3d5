// The parameters of a decoder: names, in either kind of file, and shapes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weights/families/family.h"

namespace labelprobe::weights {

struct Parameter {
  Role role;
  std::string name;  // Hugging Face's: "model.layers.0.self_attn.q_proj.weight"
  std::vector<std::int64_t> shape;

  std::int64_t n_elements() const;
  // Whether it is the weight of a linear layer of a decoder block: those are the ones that
  // quantisation is about.
  bool is_block_linear() const;
};

// All that a decoder of this configuration has, in the order in which a model computes.
std::vector<Parameter> parameters_of(const DecoderConfig& config);

// The parameters of one module; `layer` counts for modules of a block only, `expert` for those of
// an expert.
Parameter weight_of(const DecoderConfig& config, Role role, int layer = 0, int expert = 0);
std::optional<Parameter> bias_of(const DecoderConfig& config,
                                 Role role,
                                 int layer = 0,
                                 int expert = 0);

// "blk.0.attn_q.bias": what a GGUF file calls the weight or bias of a module.
std::string gguf_name(const Module& module, std::string_view kind, int layer = 0);

// A tensor's name in a GGUF file and what it says.
struct GgufName {
  const Module* module = nullptr;  // null: none of the family's
  // The parameter's name; without a module the name itself. {} is the number of each expert.
  std::string hugging_face;
};
GgufName read_gguf_name(const Family& family, const std::string& name);

}  // namespace labelprobe::weights
