#include "training/lora/lora_decoder.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include "labelprobe/core/error.h"

#include "training/lora/row_operators.h"
#include "weights/adapter/adapter.h"
#include "weights/device/dtype.h"
#include "weights/device/send.h"

namespace labelprobe::training {
namespace {

using weights::Role;

// The last part of a module's name: "q_proj".
std::string_view short_name(std::string_view name) {
  return name.substr(name.rfind('.') + 1);
}

// Numbers that differ in any argument give unrelated seeds (the finaliser of SplitMix64).
std::uint64_t mixed(std::uint64_t seed, std::uint64_t number) {
  std::uint64_t z = seed + 0x9E3779B97F4A7C15U * (number + 1);
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

}  // namespace

void check_target_modules(const weights::Family& family, const std::vector<std::string>& targets) {
  std::vector<std::string> known;
  for (const weights::Module& module : family.modules) {
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

namespace {

// The block of Llama is what is trained here.
void check_block(const weights::DecoderConfig& config) {
  const weights::Family& family = *config.family;
  for (int role = 0; role <= static_cast<int>(Role::Head); ++role) {
    const bool is_llamas = weights::has_module(weights::families().front(), Role(role));
    if (weights::has_module(family, Role(role)) == is_llamas) continue;
    throw ConfigError(fmt::format(
        "fine-tuning: expected a model of Llama's block, found a {}, whose block has other parts",
        family.architecture));
  }
  if (!config.ropeless_layers.empty() || !family.settings.empty()) {
    throw ConfigError(fmt::format(
        "fine-tuning: expected a model of Llama's block, found a {}, whose block has scales or "
        "layers without rotary embedding",
        family.architecture));
  }
  using Kind = weights::RopeScaling::Kind;
  const Kind kind = config.rope_scaling.kind;
  if (kind == Kind::Dynamic || kind == Kind::Yarn || kind == Kind::LongRope) {
    throw ConfigError(
        "fine-tuning: expected rotary embeddings without scaling or of the kinds linear and "
        "llama3, "
        "found dynamic, yarn or longrope");
  }
}

}  // namespace

LoraDecoder::LoraDecoder(weights::Checkpoint& checkpoint,
                         const FinetuneSettings& settings,
                         c10::Device device)
    : config_(checkpoint.config()),
      device_(device),
      type_(weights::scalar_type(settings.dtype)),
      scale_(settings.lora.alpha / settings.lora.r),
      dropout_(settings.lora.dropout),
      checkpoints_gradients_(settings.checkpoints_gradients) {
  check_block(config_);
  check_target_modules(*config_.family, settings.lora.target_modules);
  checkpoint.start_reading();
  const auto norm = [&](Role role, int layer) {
    return load_plain(checkpoint, weights::weight_of(config_, role, layer), at::kFloat);
  };
  embedding_ = load_plain(checkpoint, weights::weight_of(config_, Role::Embedding), type_);
  for (int i = 0; i < config_.n_layers; ++i) {
    Layer layer;
    layer.input_norm = norm(Role::InputNorm, i);
    layer.query = load(checkpoint, Role::Query, i, settings);
    layer.key = load(checkpoint, Role::Key, i, settings);
    layer.value = load(checkpoint, Role::Value, i, settings);
    layer.output = load(checkpoint, Role::AttentionOutput, i, settings);
    layer.mlp_norm = norm(Role::MlpNorm, i);
    layer.gate = load(checkpoint, Role::Gate, i, settings);
    layer.up = load(checkpoint, Role::Up, i, settings);
    layer.down = load(checkpoint, Role::Down, i, settings);
    layers_.push_back(std::move(layer));
  }
  norm_ = norm(Role::FinalNorm, 0);
  head_ = config_.tie_word_embeddings
              ? embedding_
              : load_plain(checkpoint, weights::weight_of(config_, Role::Head), type_);
  checkpoint.check_all_loaded();
  const at::Tensor frequencies = at::tensor(weights::rope_frequencies(config_));
  const at::Tensor angles =
      at::outer(at::arange(settings.block_tokens, at::kFloat), frequencies).to(device_);
  cosines_ = angles.cos();
  sines_ = angles.sin();
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
  at::Generator generator = at::detail::createCPUGenerator(mixed(seed, projection.number));
  const double bound = 1.0 / std::sqrt(static_cast<double>(weight.shape[1]));
  projection.a = at::empty({lora.r, weight.shape[1]})
                     .uniform_(-bound, bound, generator)
                     .to(device_)
                     .requires_grad_();
  projection.b = at::zeros({weight.shape[0], lora.r}).to(device_).requires_grad_();
  parameters_.push_back({weights::lora_name(weight.name, 'A'), projection.a});
  parameters_.push_back({weights::lora_name(weight.name, 'B'), projection.b});
}

at::Tensor LoraDecoder::project(const Projection& projection,
                                const at::Tensor& x,
                                std::uint64_t dropout_seed) const {
  at::Tensor result = projection.frozen(x);
  if (!projection.a.defined()) return result;
  at::Tensor dropped = x;
  if (dropout_seed != 0 && dropout_ > 0) {
    at::Generator generator =
        at::detail::createCPUGenerator(mixed(dropout_seed, projection.number));
    dropped = x * at::empty(x.sizes(), at::kFloat)
                      .bernoulli_(1.0 - dropout_, generator)
                      .div_(1.0 - dropout_)
                      .to(device_, x.scalar_type());
  }
  const at::Tensor inner = at::linear(dropped, projection.a.to(type_));
  return result + at::linear(inner, projection.b.to(type_)) * scale_;
}

at::Tensor LoraDecoder::attend(const Layer& layer,
                               const at::Tensor& normed,
                               std::int64_t n_blocks,
                               std::uint64_t dropout_seed) const {
  const std::int64_t n_tokens = normed.size(0) / n_blocks;
  const auto heads = [&](const Projection& projection, std::int64_t n_heads) {
    return project(projection, normed, dropout_seed)
        .view({n_blocks, n_tokens, n_heads, config_.head_dim})
        .transpose(1, 2);
  };
  const at::Tensor cosines = cosines_.narrow(0, 0, n_tokens), sines = sines_.narrow(0, 0, n_tokens);
  const at::Tensor queries = rotate(heads(layer.query, config_.n_heads), cosines, sines);
  at::Tensor keys = rotate(heads(layer.key, config_.n_kv_heads), cosines, sines);
  at::Tensor values = heads(layer.value, config_.n_kv_heads);
  if (const std::int64_t n_shared = config_.n_heads / config_.n_kv_heads; n_shared > 1) {
    keys = keys.repeat_interleave(n_shared, 1);
    values = values.repeat_interleave(n_shared, 1);
  }
  const at::Tensor attended =
      at::scaled_dot_product_attention(queries, keys, values, {}, 0.0, /*is_causal=*/true);
  return project(layer.output, attended.transpose(1, 2).reshape({n_blocks * n_tokens, -1}),
                 dropout_seed);
}

at::Tensor LoraDecoder::pass(const Layer& layer,
                             const at::Tensor& x,
                             std::int64_t n_blocks,
                             std::uint64_t dropout_seed) const {
  const at::Tensor attended =
      x + attend(layer, rms_norm(x, layer.input_norm, config_.rms_norm_eps).to(type_), n_blocks,
                 dropout_seed);
  const at::Tensor normed = rms_norm(attended, layer.mlp_norm, config_.rms_norm_eps).to(type_);
  const at::Tensor inner = gated_silu(project(layer.gate, normed, dropout_seed),
                                      project(layer.up, normed, dropout_seed));
  return attended + project(layer.down, inner, dropout_seed);
}

at::Tensor LoraDecoder::embed(const at::Tensor& tokens) const {
  return embedding_.index_select(0, tokens.flatten().to(device_)).to(at::kFloat);
}

namespace {

// Rows of hidden states [N, C] that predict a token of the same block, and those tokens.
struct Predictions {
  at::Tensor rows;     // [B * (T - 1)]
  at::Tensor targets;  // the same
};

Predictions predictions_of(const at::Tensor& tokens, c10::Device device) {
  const std::int64_t n_blocks = tokens.size(0), n_tokens = tokens.size(1);
  const at::Tensor rows = at::arange(n_blocks * n_tokens, at::kLong)
                              .view({n_blocks, n_tokens})
                              .narrow(1, 0, n_tokens - 1);
  return {rows.reshape({-1}).to(device),
          tokens.narrow(1, 1, n_tokens - 1).reshape({-1}).to(device)};
}

}  // namespace

double LoraDecoder::loss(const at::Tensor& tokens) const {
  const c10::NoGradGuard no_gradients;
  at::Tensor x = embed(tokens);
  for (const Layer& layer : layers_) x = pass(layer, x, tokens.size(0), 0);
  const Predictions predictions = predictions_of(tokens, device_);
  const at::Tensor normed = rms_norm(x, norm_, config_.rms_norm_eps).to(type_);
  return cross_entropy(normed.index_select(0, predictions.rows), head_, predictions.targets,
                       nullptr);
}

double LoraDecoder::add_gradients(const at::Tensor& tokens,
                                  double scale,
                                  std::uint64_t dropout_seed) const {
  const std::int64_t n_blocks = tokens.size(0);
  const auto seed_of = [&](std::size_t layer) { return mixed(dropout_seed, layer) | 1U; };
  // The last layer is passed back at once: what it keeps is small beside all layers'.
  const auto is_computed_twice = [&](std::size_t layer) {
    return checkpoints_gradients_ && layer + 1 < layers_.size();
  };
  // What goes into each layer, cut off from what made it; and what comes out, unless it is computed
  // anew on the way back.
  std::vector<at::Tensor> inputs, outputs(layers_.size());
  at::Tensor x = embed(tokens);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    x = x.detach().requires_grad_(i > 0);
    inputs.push_back(x);
    const c10::AutoGradMode mode(!is_computed_twice(i));
    x = pass(layers_[i], x, n_blocks, seed_of(i));
    if (!is_computed_twice(i)) outputs[i] = x;
  }
  x = x.detach().requires_grad_();
  const Predictions predictions = predictions_of(tokens, device_);
  const at::Tensor predicting =
      rms_norm(x, norm_, config_.rms_norm_eps).to(type_).index_select(0, predictions.rows);
  at::Tensor gradient;
  double sum = 0.0;
  {
    const c10::NoGradGuard no_gradients;
    sum = cross_entropy(predicting, head_, predictions.targets, &gradient);
    gradient = gradient.mul_(scale).to(type_);
  }
  torch::autograd::backward({predicting}, {gradient});
  gradient = x.grad();
  for (std::size_t i = layers_.size(); i-- > 0;) {
    const at::Tensor output = is_computed_twice(i)
                                  ? pass(layers_[i], inputs[i], n_blocks, seed_of(i))
                                  : std::move(outputs[i]);
    if (output.requires_grad()) torch::autograd::backward({output}, {gradient});
    gradient = inputs[i].grad();
    inputs[i] = at::Tensor();
  }
  return sum;
}

}  // namespace labelprobe::training
