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
  return name.append(module.name).append(".").append(kind);
}

Parameter weight_of(const DecoderConfig& config, const Module& module, int layer) {
  Parameter weight{module.role,
                   hugging_face_name(module, fmt::to_string(layer), kWeight),
                   {length(config, module.height)}};
  if (module.width != Extent::None) {
    weight.shape.push_back(length(config, module.width));
  }
  return weight;
}

std::optional<Parameter> bias_of(const DecoderConfig& config, const Module& module, int layer) {
  if (module.has_bias == nullptr || !(config.*module.has_bias)) {
    return std::nullopt;
  }
  return Parameter{module.role,
                   hugging_face_name(module, fmt::to_string(layer), kBias),
                   {length(config, module.height)}};
}

}  // namespace

std::int64_t Parameter::n_elements() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

bool Parameter::is_block_linear() const {
  return is_in_block(role) && shape.size() == 2;
}

std::vector<Parameter> parameters_of(const DecoderConfig& config) {
  std::vector<Parameter> parameters;
  const auto add = [&](const Module& module, int layer) {
    parameters.push_back(weight_of(config, module, layer));
    if (std::optional<Parameter> bias = bias_of(config, module, layer)) {
      parameters.push_back(std::move(*bias));
    }
  };
  const auto add_outside = [&](Role role) { add(module_of(*config.family, role), 0); };
  add_outside(Role::Embedding);
  for (int layer = 0; layer < config.n_layers; ++layer) {
    for (const Module& module : config.family->modules) {
      if (is_in_block(module.role)) {
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

Parameter weight_of(const DecoderConfig& config, Role role, int layer) {
  return weight_of(config, module_of(*config.family, role), layer);
}

std::optional<Parameter> bias_of(const DecoderConfig& config, Role role, int layer) {
  return bias_of(config, module_of(*config.family, role), layer);
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
