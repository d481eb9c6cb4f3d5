#include "training/probes/saga.h"

#include <ATen/ATen.h>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/tensors.h"

namespace labelprobe::training {
namespace {

struct Problem {
  at::Tensor features;
  std::vector<Targets> targets;

  Rows rows() const {
    return {features.const_data_ptr<double>(), features.size(0), features.size(1)};
  }
};

// Five regressions of two classes and one of three.
Problem make_problem() {
  at::manual_seed(5);
  Problem problem{at::randn({40, 9}, at::kDouble), {}};
  for (int k = 0; k < 5; ++k) {
    Targets targets;
    for (int i = 0; i < 40; ++i) targets.classes.push_back((i * (k + 3) / 7) % 2);
    problem.targets.push_back(targets);
  }
  Targets three{.n_classes = 3, .classes = {}};
  for (int i = 0; i < 40; ++i) three.classes.push_back(i % 3);
  problem.targets.push_back(three);
  return problem;
}

}  // namespace

TEST_CASE("A regression comes out the same alone and in company but for rounding", "[unit]") {
  const Problem problem = make_problem();
  const SagaOptions options{.max_epochs = 20, .tolerance = 0, .seed = 1};
  const auto together = fit_saga(problem.rows(), problem.targets, options, {});
  for (std::size_t i = 0; i < problem.targets.size(); ++i) {
    const auto alone = fit_saga(problem.rows(), {&problem.targets[i], 1}, options, {});
    CHECK(support::largest_difference(at::tensor(alone[0].weights),
                                      at::tensor(together[i].weights)) < 1e-12);
    CHECK(alone[0].intercepts[0] == Approx(together[i].intercepts[0]).epsilon(1e-10));
    CHECK_FALSE(alone[0].has_converged);
    CHECK(alone[0].n_iterations == 20);
  }
  CHECK(together.back().intercepts.size() == 3);
}

TEST_CASE("Products of rows that are made anew change nothing but rounding", "[unit]") {
  const Problem problem = make_problem();
  SagaOptions options{.max_epochs = 30, .tolerance = 0, .seed = 2};
  const auto kept = fit_saga(problem.rows(), problem.targets, options, {});
  options.max_known_rows = 0;
  const auto anew = fit_saga(problem.rows(), problem.targets, options, {});
  for (std::size_t i = 0; i < kept.size(); ++i) {
    CHECK(support::largest_difference(at::tensor(kept[i].weights), at::tensor(anew[i].weights)) <
          1e-12);
  }
}

TEST_CASE("Numbers that overflow are told", "[unit]") {
  Problem problem = make_problem();
  problem.features[3][2] = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(fit_saga(problem.rows(), problem.targets, {.max_epochs = 20}, {}), DataError);
}

}  // namespace labelprobe::training
