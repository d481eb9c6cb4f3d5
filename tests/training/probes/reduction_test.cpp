#include "training/probes/reduction.h"

#include "support/catch.h"
#include "support/tensors.h"
#include "training/fixture.h"
#include "training/probes/probe_data.h"

namespace labelprobe::training {
namespace {

// The states of these items as float32: [n][n_features].
at::Tensor states_of(const nlohmann::json& one, const std::string& part) {
  const auto path = support::fixture("training/" + one.at("run").get<std::string>() +
                                     "/hidden_states_0.safetensors");
  const record::ItemStates states = read_first_states(path, -1);
  std::vector<std::int64_t> rows;
  for (const std::string key : one.at(part)) {
    const auto found = std::find(states.keys.begin(), states.keys.end(), key);
    REQUIRE(found != states.keys.end());
    rows.push_back(found - states.keys.begin());
  }
  return at::tensor(states.numbers, at::kFloat)
      .view({-1, states.n_features})
      .index_select(0, at::tensor(rows, at::kLong));
}

}  // namespace

TEST_CASE("Scales, components and features are scikit-learn's and numpy's", "[golden]") {
  const nlohmann::json all = reference();
  for (const auto& one : all["cases"]) {
    CAPTURE(one["run"].get<std::string>());
    const Reduction found = fit_reduction(states_of(one, "train"), all["n_components"]);
    CHECK(support::largest_difference(
              found.scales, at::tensor(one["scales"].get<std::vector<double>>(), at::kDouble)) <
          1e-12);
    CHECK(support::largest_difference(found.components, matrix_of(one["components"])) < 1e-8);
    CHECK(support::largest_difference(reduce(found, states_of(one, "train")),
                                      matrix_of(one["train_features"])) < 1e-8);
    CHECK(support::largest_difference(reduce(found, states_of(one, "test")),
                                      matrix_of(one["test_features"])) < 1e-8);
  }
}

TEST_CASE("Components are the same from fewer rows than features as from libtorch's own",
          "[golden]") {
  at::manual_seed(3);
  const at::Tensor rows = at::randn({7, 11}, at::kDouble) + 1;
  const Reduction found = fit_reduction(rows, 4);
  const at::Tensor scaled = rows / rows.std(0, /*unbiased=*/false);
  const at::Tensor expected = std::get<2>(at::linalg_svd(scaled, false)).narrow(0, 0, 4);
  // Signs are a matter of choice.
  CHECK(support::largest_difference(at::mm(found.components, expected.t()).abs(),
                                    at::eye(4, at::kDouble)) < 1e-8);
  const at::Tensor largest =
      found.components.gather(1, found.components.abs().argmax(1, /*keepdim=*/true));
  CHECK((largest > 0).all().item<bool>());
}

TEST_CASE("Beyond the rank of the rows the components are zeros", "[unit]") {
  at::manual_seed(4);
  const at::Tensor rows = at::mm(at::randn({9, 2}, at::kDouble), at::randn({2, 20}, at::kDouble));
  const Reduction found = fit_reduction(rows, 5);
  CHECK(found.components.narrow(0, 0, 2).norm(2, 1).allclose(at::ones({2}, at::kDouble)));
  CHECK(found.components.narrow(0, 2, 3).abs().max().item<double>() == 0.0);
}

}  // namespace labelprobe::training
