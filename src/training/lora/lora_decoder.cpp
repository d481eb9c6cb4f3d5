#include "training/lora/lora_decoder.h"

#include <utility>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include "training/lora/mixed_seed.h"
#include "training/lora/row_operators.h"

namespace labelprobe::training {
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
  return cross_entropy(normed(x, norm_).index_select(0, predictions.rows), head_, logit_form(),
                       predictions.targets, nullptr);
}

double LoraDecoder::add_gradients(const at::Tensor& tokens,
                                  double scale,
                                  std::uint64_t dropout_seed) const {
  const std::int64_t n_blocks = tokens.size(0);
  const auto seed_of = [&](std::size_t layer) { return mixed_seed(dropout_seed, layer) | 1U; };
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
  const at::Tensor predicting = normed(x, norm_).index_select(0, predictions.rows);
  at::Tensor gradient;
  double sum = 0.0;
  {
    const c10::NoGradGuard no_gradients;
    sum = cross_entropy(predicting, head_, logit_form(), predictions.targets, &gradient);
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
