#include "training/optimizer/adam_w.h"

#include <cmath>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/optim/adamw.h>

#include "labelprobe/core/error.h"

namespace labelprobe::training {

struct AdamW::Torch {
  torch::optim::AdamW optimizer;
};

namespace {

void check_settings(const AdamWSettings& settings) {
  const auto expect = [](bool is_right, const char* name, const char* expected, double found) {
    if (!is_right)
      throw ConfigError(fmt::format("{}: expected {}, found {}", name, expected, found));
  };
  for (const auto& [name, beta] :
       {std::pair("beta1", settings.beta1), std::pair("beta2", settings.beta2)}) {
    expect(beta >= 0 && beta < 1, name, "0 or more and below 1", beta);
  }
  expect(settings.epsilon >= 0, "epsilon", "0 or more", settings.epsilon);
  expect(settings.weight_decay >= 0, "weight decay", "0 or more", settings.weight_decay);
}

at::Tensor take(const std::map<std::string, at::Tensor>& state,
                const std::string& name,
                at::IntArrayRef shape) {
  const auto found = state.find(name);
  if (found == state.end()) {
    throw DataError(fmt::format("state of the optimizer: expected a tensor {}, found none", name));
  }
  if (found->second.sizes() != shape) {
    throw DataError(fmt::format(
        "state of the optimizer: tensor {}: expected {} numbers in {} dimensions, found {} in {}",
        name, c10::multiply_integers(shape), shape.size(), found->second.numel(),
        found->second.dim()));
  }
  return found->second;
}

}  // namespace

AdamW::AdamW(std::vector<NamedParameter> parameters, const AdamWSettings& settings)
    : parameters_(std::move(parameters)) {
  check_settings(settings);
  std::vector<at::Tensor> tensors;
  for (const NamedParameter& parameter : parameters_) tensors.push_back(parameter.tensor);
  torch_ = std::make_unique<Torch>(
      Torch{torch::optim::AdamW(std::move(tensors), torch::optim::AdamWOptions()
                                                        .betas({settings.beta1, settings.beta2})
                                                        .eps(settings.epsilon)
                                                        .weight_decay(settings.weight_decay))});
}

AdamW::~AdamW() = default;
AdamW::AdamW(AdamW&&) noexcept = default;
AdamW& AdamW::operator=(AdamW&&) noexcept = default;

void AdamW::step(double learning_rate) {
  torch_->optimizer.param_groups().front().options().set_lr(learning_rate);
  torch_->optimizer.step();
}

void AdamW::zero_gradients() {
  for (const NamedParameter& parameter : parameters_) parameter.tensor.mutable_grad().reset();
}

std::map<std::string, at::Tensor> AdamW::state() const {
  std::map<std::string, at::Tensor> result;
  for (const auto& [name, tensor] : parameters_) {
    const auto found = torch_->optimizer.state().find(tensor.unsafeGetTensorImpl());
    if (found == torch_->optimizer.state().end()) continue;
    const auto& state = static_cast<const torch::optim::AdamWParamState&>(*found->second);
    result[name + ".exp_avg"] = state.exp_avg();
    result[name + ".exp_avg_sq"] = state.exp_avg_sq();
    result[name + ".step"] = at::tensor({state.step()}, at::kLong);
  }
  return result;
}

void AdamW::set_state(const std::map<std::string, at::Tensor>& state) {
  torch_->optimizer.state().clear();
  std::size_t n_taken = 0;
  for (const auto& [name, tensor] : parameters_) {
    if (!state.contains(name + ".step")) continue;
    auto own = std::make_unique<torch::optim::AdamWParamState>();
    own->step(take(state, name + ".step", {1}).item<std::int64_t>());
    own->exp_avg(take(state, name + ".exp_avg", tensor.sizes())
                     .to(tensor.device(), at::kFloat, false, true));
    own->exp_avg_sq(take(state, name + ".exp_avg_sq", tensor.sizes())
                        .to(tensor.device(), at::kFloat, false, true));
    torch_->optimizer.state()[tensor.unsafeGetTensorImpl()] = std::move(own);
    n_taken += 3;
  }
  if (n_taken != state.size()) {
    throw DataError(
        fmt::format("state of the optimizer: expected {} tensors of its {} parameters, found {}",
                    n_taken, parameters_.size(), state.size()));
  }
}

double clip_gradients(const std::vector<NamedParameter>& parameters, double max_norm) {
  std::vector<at::Tensor> norms;
  for (const auto& [name, tensor] : parameters) {
    if (tensor.grad().defined()) norms.push_back(at::linalg_vector_norm(tensor.grad()));
  }
  if (norms.empty()) return 0.0;
  const at::Tensor norm = at::linalg_vector_norm(at::stack(norms));
  const at::Tensor factor = at::clamp_max(max_norm / (norm + 1e-6), 1.0);
  if (std::isfinite(max_norm)) {
    for (const auto& [name, tensor] : parameters) {
      if (tensor.grad().defined()) tensor.grad().detach().mul_(factor);
    }
  }
  return norm.item<double>();
}

}  // namespace labelprobe::training
