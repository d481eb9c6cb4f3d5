#include "training/optimizer/adam_w.h"

#include <limits>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"
#include "support/tensors.h"

namespace labelprobe::training {
namespace {

nlohmann::json adam_w_reference() {
  return support::read_json(support::fixture("training/optimizer.json"));
}

at::Tensor numbers(const nlohmann::json& all,
                   const nlohmann::json& listed,
                   const std::string& name) {
  return at::tensor(listed.at(name).get<std::vector<float>>())
      .view(all.at("shapes").at(name).get<std::vector<std::int64_t>>());
}

std::vector<NamedParameter> parameters_of(const nlohmann::json& all, const nlohmann::json& listed) {
  std::vector<NamedParameter> parameters;
  for (const std::string name : {"a", "b"}) {
    parameters.push_back({name, numbers(all, listed, name).requires_grad_()});
  }
  return parameters;
}

AdamW optimizer_of(const nlohmann::json& all, const nlohmann::json& listed) {
  const nlohmann::json& settings = all.at("settings");
  return {parameters_of(all, listed),
          {settings.at("beta1"), settings.at("beta2"), settings.at("epsilon"),
           settings.at("weight_decay")}};
}

// One step along the gradients of the reference; returns their norm before clipping.
double step(AdamW& optimizer, const nlohmann::json& all, const nlohmann::json& one) {
  for (const NamedParameter& parameter : optimizer.parameters()) {
    parameter.tensor.mutable_grad() = numbers(all, one.at("gradients"), parameter.name);
  }
  const double norm = clip_gradients(optimizer.parameters(), all.at("max_norm"));
  optimizer.step(all.at("learning_rate"));
  optimizer.zero_gradients();
  return norm;
}

}  // namespace

TEST_CASE("AdamW with clipped gradients steps as torch does", "[golden]") {
  const nlohmann::json all = adam_w_reference();
  AdamW optimizer = optimizer_of(all, all.at("adam_w").at("first"));
  for (const nlohmann::json& one : all.at("adam_w").at("steps")) {
    CHECK(step(optimizer, all, one) == Approx(one.at("norm").get<double>()));
    for (const auto& [name, tensor] : optimizer.parameters()) {
      CHECK(support::largest_difference(tensor.detach(), numbers(all, one.at("parameters"), name)) <
            1e-6);
    }
  }
}

TEST_CASE("AdamW goes on to the same bits from a state that was kept", "[unit]") {
  const nlohmann::json all = adam_w_reference();
  const nlohmann::json& steps = all.at("adam_w").at("steps");
  AdamW whole = optimizer_of(all, all.at("adam_w").at("first"));
  for (int i = 0; i < 3; ++i) step(whole, all, steps[i]);
  nlohmann::json middle;
  for (const auto& [name, tensor] : whole.parameters()) {
    const at::Tensor flat = tensor.detach().flatten();
    middle[name] = std::vector<float>(flat.const_data_ptr<float>(),
                                      flat.const_data_ptr<float>() + flat.numel());
  }
  AdamW resumed = optimizer_of(all, middle);
  resumed.set_state(whole.state());
  for (int i = 3; i < 6; ++i) {
    step(whole, all, steps[i]);
    step(resumed, all, steps[i]);
  }
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(at::equal(whole.parameters()[i].tensor, resumed.parameters()[i].tensor));
  }
}

TEST_CASE("AdamW refuses a state that is not its own, and settings without sense", "[unit]") {
  const nlohmann::json all = adam_w_reference();
  AdamW optimizer = optimizer_of(all, all.at("adam_w").at("first"));
  step(optimizer, all, all.at("adam_w").at("steps")[0]);
  auto state = optimizer.state();
  state["c.step"] = at::zeros({1}, at::kLong);
  CHECK_THROWS_WITH(optimizer.set_state(state),
                    ContainsSubstring("expected 6 tensors of its 2 parameters, found 7"));
  state.erase("c.step");
  state["a.exp_avg"] = at::zeros({6});
  CHECK_THROWS_WITH(optimizer.set_state(state),
                    ContainsSubstring("tensor a.exp_avg: expected 6 numbers in 2 dimensions"));
  state.erase("a.exp_avg");
  CHECK_THROWS_WITH(optimizer.set_state(state),
                    ContainsSubstring("expected a tensor a.exp_avg, found none"));
  CHECK_THROWS_WITH(AdamW({}, {.beta1 = 1.0}),
                    ContainsSubstring("beta1: expected 0 or more and below 1, found 1"));
  CHECK_THROWS_WITH(AdamW({}, {.weight_decay = -1.0}),
                    ContainsSubstring("weight decay: expected 0 or more"));
}

TEST_CASE("Clipping without a limit only measures the norm", "[unit]") {
  const at::Tensor parameter = at::zeros({2}).requires_grad_();
  CHECK(clip_gradients({{"a", parameter}}, 1.0) == 0.0);
  parameter.mutable_grad() = at::tensor({3.0F, 4.0F});
  CHECK(clip_gradients({{"a", parameter}}, std::numeric_limits<double>::infinity()) == Approx(5.0));
  CHECK(parameter.grad()[1].item<float>() == 4.0F);
}

}  // namespace labelprobe::training
