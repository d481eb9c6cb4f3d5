#include "training/probes/probe_fits.h"

#include "support/catch.h"
#include "support/tensors.h"
#include "training/fixture.h"

namespace labelprobe::training {
namespace {

double share_apart(const std::vector<double>& found, const nlohmann::json& expected) {
  std::vector<double> numbers;
  for (const nlohmann::json& row : expected) {
    if (row.is_array()) {
      for (const double number : row) numbers.push_back(number);
    } else {
      numbers.push_back(row.get<double>());
    }
  }
  return support::largest_share(at::tensor(found, at::kDouble), at::tensor(numbers, at::kDouble));
}

void check_fit(const LabelProbe& found, const nlohmann::json& expected, ProbeSolver solver) {
  if (expected.contains("constant")) {
    CHECK(found.constant == expected["constant"].get<int>());
    return;
  }
  REQUIRE_FALSE(found.constant.has_value());
  if (solver == ProbeSolver::Saga) {
    CHECK(found.regression.n_iterations == expected["n_iterations"].get<std::int64_t>());
    CHECK(found.regression.has_converged == (found.regression.n_iterations < 1000));
  } else {
    CHECK(found.regression.has_converged);
  }
  CHECK(share_apart(found.regression.weights, expected["weights"]) < 1e-8);
}

}  // namespace

TEST_CASE("Regressions are scikit-learn's, epoch by epoch and at the minimum", "[golden]") {
  const nlohmann::json all = reference();
  REQUIRE(all["cases"].size() == 4);
  for (const auto& one : all["cases"]) {
    CAPTURE(one["run"].get<std::string>(), one["solver"].get<std::string>());
    const ProbeSettings settings = settings_of(all, one);
    const LabelSet label_set = label_set_of(one);
    const std::vector<std::vector<Labels>> wanted = {labels_of(one, "gold", "train"),
                                                     labels_of(one, "predicted", "train")};
    const auto found =
        fit_probes(matrix_of(one["train_features"]), wanted, label_set, settings, {});
    const at::Tensor test = matrix_of(one["test_features"]);
    REQUIRE(found.size() == 2);
    for (std::size_t kind = 0; kind < 2; ++kind) {
      const std::string name = kind == 0 ? "gold" : "predicted";
      REQUIRE(found[kind].probes.size() == one["fits"][name].size());
      for (std::size_t i = 0; i < found[kind].probes.size(); ++i) {
        check_fit(found[kind].probes[i], one["fits"][name][i], settings.solver);
      }
      const auto probs = found[kind].label_probs(test, label_set);
      const auto expected = one["test_probs"][name].get<std::vector<std::vector<double>>>();
      REQUIRE(probs.size() == expected.size());
      for (std::size_t row = 0; row < probs.size(); ++row) {
        for (std::size_t label = 0; label < probs[row].size(); ++label) {
          CHECK(probs[row][label] == Approx(expected[row][label]).margin(1e-8));
        }
      }
    }
  }
}

TEST_CASE("What all training items agree about is predicted of every item", "[unit]") {
  const at::Tensor features = at::randn({6, 3}, at::kDouble);
  const LabelSet single({"a", "b", "c"}, LabelKind::SingleLabel);
  const std::vector<std::vector<Labels>> always_b = {std::vector<Labels>(6, Labels{1})};
  const auto classes = fit_probes(features, always_b, single, {}, {});
  CHECK(classes[0].label_probs(features, single)[0] == std::vector<double>{0, 1, 0});
  const LabelSet multi({"a", "b", "c"}, LabelKind::MultiLabel);
  const auto labels = fit_probes(features, always_b, multi, {}, {});
  CHECK(labels[0].label_probs(features, multi)[5] == std::vector<double>{0, 1, 0});
  CHECK(choose_labels({0, 1, 0}, multi) == Labels{1});
}

TEST_CASE("Of two classes that occur among three the third has no probability", "[unit]") {
  at::manual_seed(1);
  const at::Tensor features = at::randn({8, 3}, at::kDouble);
  const LabelSet label_set({"a", "b", "c"}, LabelKind::SingleLabel);
  std::vector<std::vector<Labels>> wanted(1);
  for (int i = 0; i < 8; ++i) wanted[0].push_back({i % 2 == 0 ? 0 : 2});
  const auto probes = fit_probes(features, wanted, label_set, {}, {});
  const std::vector<double> probs = probes[0].label_probs(features, label_set)[0];
  CHECK(probs[1] == 0.0);
  CHECK(probs[0] + probs[2] == Approx(1.0));
}

}  // namespace labelprobe::training
