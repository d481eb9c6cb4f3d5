#include "weights/families/parameters.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::weights {
namespace {

constexpr std::string_view kWeight = "weight";
constexpr std::string_view kBias = "bias";

std::int64_t length(const DecoderConfig& config, Extent extent) {
  switch (extent) {
    case Extent::None:
      break;
    case Extent::Hidden:
      return config.hidden_size;
    case Extent::Inner:
      return config.intermediate_size;
    case Extent::InnerTwice:
      return std::int64_t{2} * config.intermediate_size;
    case Extent::ExpertInner:
      return config.experts.intermediate_size;
    case Extent::Experts:
      return config.experts.n;
    case Extent::Heads:
      return config.n_heads;
    case Extent::HeadSize:
      return config.head_dim;
    case Extent::QueryRows:
      return std::int64_t{config.n_heads} * config.head_dim;
    case Extent::KeyRows:
      return std::int64_t{config.n_kv_heads} * config.head_dim;
    case Extent::QueryKeyValueRows:
      return std::int64_t{config.n_heads + 2 * config.n_kv_heads} * config.head_dim;
    case Extent::Vocabulary:
      return config.vocab_size;
  }
  LABELPROBE_CHECK(extent != Extent::None);
  return 0;
}

std::string hugging_face_name(const Module& module, std::string_view layer, std::string_view kind) {
  std::string name;
  if (is_in_block(module.role)) {
    name.append("model.layers.").append(layer).append(".");
  }
  name.append(module.name);
  return module.role == Role::Sinks ? name : name.append(".").append(kind);
}

std::string parameter_name(const Module& module, int layer, int expert, std::string_view kind) {
  std::string name = hugging_face_name(module, fmt::to_string(layer), kind);
  if (is_of_expert(module.role)) {
    name.replace(name.find("{}"), 2, fmt::to_string(expert));
  }
  return name;
}

Parameter weight_of(const DecoderConfig& config, const Module& module, int layer, int expert) {
  Parameter weight{
      module.role, parameter_name(module, layer, expert, kWeight), {length(config, module.height)}};
  if (module.width != Extent::None) {
    weight.shape.push_back(length(config, module.width));
  }
  return weight;
}

std::optional<Parameter> bias_of(const DecoderConfig& config,
                                 const Module& module,
                                 int layer,
                                 int expert) {
  if (module.has_bias == nullptr || !(config.*module.has_bias)) {
    return std::nullopt;
  }
  return Parameter{
      module.role, parameter_name(module, layer, expert, kBias), {length(config, module.height)}};
}

// Whether a layer has the module: its MLP is of experts, or one for all tokens.
bool is_in_layer(const DecoderConfig& config, Role role, int layer) {
  if (role == Role::Router || is_of_expert(role)) {
    return config.experts.are_in(layer);
  }
  const bool is_of_mlp =
      role == Role::Gate || role == Role::Up || role == Role::GateUp || role == Role::Down;
  return !is_of_mlp || !config.experts.are_in(layer);
}

}  // namespace

std::int64_t Parameter::n_elements() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

bool Parameter::is_block_linear() const {
  return is_in_block(role) && role != Role::Router && shape.size() == 2;
}

std::vector<Parameter> parameters_of(const DecoderConfig& config) {
  std::vector<Parameter> parameters;
  const auto add = [&](const Module& module, int layer, int expert = 0) {
    parameters.push_back(weight_of(config, module, layer, expert));
    if (std::optional<Parameter> bias = bias_of(config, module, layer, expert)) {
      parameters.push_back(std::move(*bias));
    }
  };
  const auto add_outside = [&](Role role) { add(module_of(*config.family, role), 0); };
  const auto add_experts = [&](int layer) {
    for (int expert = 0; expert < config.experts.n; ++expert) {
      for (const Role role : {Role::ExpertGate, Role::ExpertUp, Role::ExpertDown}) {
        add(module_of(*config.family, role), layer, expert);
      }
    }
  };
  add_outside(Role::Embedding);
  for (int layer = 0; layer < config.n_layers; ++layer) {
    for (const Module& module : config.family->modules) {
      if (!is_in_block(module.role) || !is_in_layer(config, module.role, layer)) {
        continue;
      }
      if (module.role == Role::ExpertGate) {
        add_experts(layer);
      } else if (!is_of_expert(module.role)) {
        add(module, layer);
      }
    }
  }
  add_outside(Role::FinalNorm);
  if (!config.tie_word_embeddings) {
    add_outside(Role::Head);
  }
  return parameters;
}

Parameter weight_of(const DecoderConfig& config, Role role, int layer, int expert) {
  return weight_of(config, module_of(*config.family, role), layer, expert);
}

std::optional<Parameter> bias_of(const DecoderConfig& config, Role role, int layer, int expert) {
  return bias_of(config, module_of(*config.family, role), layer, expert);
}

std::string gguf_name(const Module& module, std::string_view kind, int layer) {
  std::string name;
  if (is_in_block(module.role)) {
    name.append("blk.").append(fmt::to_string(layer)).append(".");
  }
  return name.append(module.gguf_name).append(".").append(kind);
}

// "blk.7.attn_q.weight" is layer "7", module "attn_q", kind "weight".
GgufName read_gguf_name(const Family& family, const std::string& name) {
  std::string_view rest = name;
  std::string_view layer;
  const bool is_of_block = rest.starts_with("blk.");
  if (is_of_block) {
    rest.remove_prefix(4);
    layer = rest.substr(0, rest.find('.'));
    rest.remove_prefix(std::min(rest.size(), layer.size() + 1));
  }
  const std::size_t dot = rest.rfind('.');
  const std::string_view kind = dot == rest.npos ? std::string_view() : rest.substr(dot + 1);
  if (kind != kWeight && kind != kBias) {
    return {nullptr, name};
  }
  for (const Module& module : family.modules) {
    if (module.gguf_name == rest.substr(0, dot) && is_in_block(module.role) == is_of_block) {
      return {&module, hugging_face_name(module, layer, kind)};
    }
  }
  return {nullptr, name};
}

}  // namespace labelprobe::weights
