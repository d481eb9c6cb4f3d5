// A LoRA decoder's weights from a checkpoint, its first matrices, and which models it does.
#include <algorithm>
#include <cmath>
#include <string_view>
#include <tuple>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "training/lora/lora_decoder.h"
#include "training/lora/mixed_seed.h"
#include "weights/adapter/adapter.h"
#include "weights/device/dtype.h"
#include "weights/device/send.h"
#include "weights/families/rope.h"

namespace labelprobe::training {
namespace {

using weights::Role;

// The last part of a module's name: "q_proj".
std::string_view short_name(std::string_view name) {
  return name.substr(name.rfind('.') + 1);
}

void check_block(const weights::DecoderConfig& config) {
  const weights::Family& family = *config.family;
  if (config.experts.n > 0) {
    throw ConfigError(
        fmt::format("fine-tuning: expected a model with one MLP for all tokens, found a {}, whose "
                    "tokens choose among {} experts",
                    family.architecture, config.experts.n));
  }
  if (config.has_sinks) {
    throw ConfigError(
        fmt::format("fine-tuning: expected a model without attention sinks, found a {}, whose "
                    "softmax has one more score for every head",
                    family.architecture));
  }
  if (family.is_text_part) {
    throw ConfigError(
        fmt::format("fine-tuning: expected a model of texts alone, found a {}, which sees images "
                    "too: an adapter would name modules of both halves",
                    family.architecture));
  }
}

}  // namespace

void check_trainable(const weights::DecoderConfig& config,
                     const std::vector<std::string>& targets) {
  check_block(config);
  std::vector<std::string> known;
  for (const weights::Module& module : config.family->modules) {
    if (weights::is_in_block(module.role) && module.width != weights::Extent::None) {
      known.emplace_back(short_name(module.name));
    }
  }
  for (const std::string& target : targets) {
    if (std::find(known.begin(), known.end(), target) == known.end()) {
      throw ConfigError(unknown_choice("target module", target, known));
    }
  }
}

LoraDecoder::LoraDecoder(weights::Checkpoint& checkpoint,
                         const FinetuneSettings& settings,
                         c10::Device device)
    : config_(checkpoint.config()),
      device_(device),
      type_(weights::scalar_type(settings.dtype)),
      scale_(settings.lora.alpha / settings.lora.r),
      dropout_(settings.lora.dropout),
      checkpoints_gradients_(settings.checkpoints_gradients) {
  check_trainable(config_, settings.lora.target_modules);
  checkpoint.start_reading();
  embedding_ = load_plain(checkpoint, weights::weight_of(config_, Role::Embedding), type_);
  embedding_scale_ = config_.embedding_scale;
  // What follows from the hidden size transformers rounds to the embedding's type.
  if (config_.family->is_embedding_scaled) {
    embedding_scale_ = at::scalar_tensor(embedding_scale_, at::kFloat).to(type_).item<double>();
  }
  for (int i = 0; i < config_.n_layers; ++i) layers_.push_back(load_layer(checkpoint, i, settings));
  norm_ = load_norm(checkpoint, Role::FinalNorm, 0);
  head_ = config_.tie_word_embeddings
              ? embedding_
              : load_plain(checkpoint, weights::weight_of(config_, Role::Head), type_);
  checkpoint.check_all_loaded();
  make_turns(settings.block_tokens);
}

// In the order of parameters_of(), from which the matrices have their numbers.
LoraDecoder::Layer LoraDecoder::load_layer(weights::Checkpoint& checkpoint,
                                           int number,
                                           const FinetuneSettings& settings) {
  const auto load_all = [&](Role one, const std::vector<Role>& parts) {
    std::vector<Projection> loaded;
    for (const Role role : weights::has_module(*config_.family, one) ? std::vector{one} : parts) {
      loaded.push_back(load(checkpoint, role, number, settings));
    }
    return loaded;
  };
  const auto norm = [&](Role role) { return load_norm(checkpoint, role, number); };
  Layer layer;
  layer.input_norm = norm(Role::InputNorm);
  layer.qkv = load_all(Role::QueryKeyValue, {Role::Query, Role::Key, Role::Value});
  layer.query_norm = norm(Role::QueryNorm);
  layer.key_norm = norm(Role::KeyNorm);
  layer.output = load(checkpoint, Role::AttentionOutput, number, settings);
  layer.attention_norm = norm(Role::AttentionNorm);
  layer.mlp_norm = norm(Role::MlpNorm);
  layer.gate_up = load_all(Role::GateUp, {Role::Gate, Role::Up});
  layer.down = load(checkpoint, Role::Down, number, settings);
  layer.mlp_output_norm = norm(Role::MlpOutputNorm);
  layer.window = config_.layer_window(number);
  return layer;
}

// Blocks are all as long as the longest text.
void LoraDecoder::make_turns(std::int64_t n_positions) {
  const std::int64_t n_original = weights::original_length(config_);
  const auto length = n_original > 0 && n_positions > n_original ? weights::TextLength::Beyond
                                                                 : weights::TextLength::Original;
  const auto turns_of = [&](const weights::Rope& rope) {
    const weights::RopeTurns turns = weights::rope_turns(config_, rope, length);
    const at::Tensor angles =
        at::outer(at::arange(n_positions, at::kFloat), at::tensor(turns.frequencies)).to(device_);
    at::Tensor cosines = angles.cos(), sines = angles.sin();
    return std::pair(cosines.mul_(turns.factor), sines.mul_(turns.factor));
  };
  const auto all = turns_of({config_.rope_theta, config_.rope_scaling});
  const auto windowed = config_.window_rope ? turns_of(*config_.window_rope) : all;
  for (int i = 0; i < config_.n_layers; ++i) {
    if (!config_.layer_has_rope(i)) continue;
    std::tie(layers_[i].cosines, layers_[i].sines) = layers_[i].window > 0 ? windowed : all;
  }
}

at::Tensor LoraDecoder::load_norm(weights::Checkpoint& checkpoint, Role role, int layer) {
  if (!weights::has_module(*config_.family, role)) return {};
  const at::Tensor weight =
      load_plain(checkpoint, weights::weight_of(config_, role, layer), at::kFloat);
  return config_.are_norms_one_plus ? weight + 1.0 : weight;
}

at::Tensor LoraDecoder::load_plain(weights::Checkpoint& checkpoint,
                                   const weights::Parameter& parameter,
                                   at::ScalarType type) {
  // Rounded to the type of the products first, as a model that is loaded in it has it.
  const auto dtype = type_ == at::kBFloat16 ? weights::DType::BFloat16 : weights::DType::Float32;
  return checkpoint.load(parameter, dtype).to(device_, type);
}

LoraDecoder::Projection LoraDecoder::load(weights::Checkpoint& checkpoint,
                                          Role role,
                                          int layer,
                                          const FinetuneSettings& settings) {
  const weights::Parameter weight = weights::weight_of(config_, role, layer);
  at::Tensor bias;
  if (const auto parameter = weights::bias_of(config_, role, layer))
    bias = load_plain(checkpoint, *parameter, type_);
  Projection projection;
  const weights::Quantization kept_as = checkpoint.quantization_of(weight, settings.quantization);
  weights::Staging staging(device_);
  if (kept_as == weights::Quantization::None) {
    projection.frozen = FrozenLinear(load_plain(checkpoint, weight, type_), bias);
  } else if (checkpoint.quantization_of(weight) != weights::Quantization::None) {
    projection.frozen = FrozenLinear(checkpoint.load_quantized(weight, staging), bias);
  } else {
    projection.frozen = FrozenLinear(
        weights::to_device(weights::quantize(checkpoint.load(weight, settings.dtype), kept_as),
                           staging),
        bias);
  }
  const std::vector<std::string>& targets = settings.lora.target_modules;
  const std::string_view name = short_name(weights::module_of(*config_.family, role).name);
  if (std::find(targets.begin(), targets.end(), name) != targets.end()) {
    add_matrices(projection, weight, settings.lora, static_cast<std::uint64_t>(settings.seed));
  }
  return projection;
}

void LoraDecoder::add_matrices(Projection& projection,
                               const weights::Parameter& weight,
                               const LoraSettings& lora,
                               std::uint64_t seed) {
  projection.number = parameters_.size() + 1;
  at::Generator generator = at::detail::createCPUGenerator(mixed_seed(seed, projection.number));
  const double bound = 1.0 / std::sqrt(static_cast<double>(weight.shape[1]));
  projection.a = at::empty({lora.r, weight.shape[1]})
                     .uniform_(-bound, bound, generator)
                     .to(device_)
                     .requires_grad_();
  projection.b = at::zeros({weight.shape[0], lora.r}).to(device_).requires_grad_();
  parameters_.push_back({weights::lora_name(weight.name, 'A'), projection.a});
  parameters_.push_back({weights::lora_name(weight.name, 'B'), projection.b});
}

}  // namespace labelprobe::training
