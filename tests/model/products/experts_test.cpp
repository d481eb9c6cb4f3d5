// MLPs of experts: the router, and that a row's bits do not depend on the rows beside it.
#include "model/products/experts.h"

#include <cmath>
#include <vector>

#include <ATen/ATen.h>

#include "support/catch.h"
#include "support/tensors.h"

namespace labelprobe::model {
namespace {

weights::Experts settings(bool is_normed) {
  weights::Experts experts;
  experts.n = 6;
  experts.n_per_token = 2;
  experts.intermediate_size = 24;
  experts.norm_topk_prob = is_normed;
  return experts;
}

struct Weights {
  at::Tensor router;                // [E, C]
  std::vector<at::Tensor> gate_up;  // [2 F, C]
  std::vector<at::Tensor> down;     // [C, F]
};

Weights make_weights(const weights::Experts& experts, std::int64_t n_hidden) {
  Weights made{at::randn({experts.n, n_hidden}) * 0.5, {}, {}};
  for (int e = 0; e < experts.n; ++e) {
    made.gate_up.push_back(at::randn({2 * experts.intermediate_size, n_hidden}) * 0.3);
    made.down.push_back(at::randn({n_hidden, experts.intermediate_size}) * 0.3);
  }
  return made;
}

ExpertMlp mlp_of(const weights::Experts& experts, const Weights& made) {
  std::vector<ExpertMlp::Expert> all;
  for (int e = 0; e < experts.n; ++e) {
    all.push_back({Linear(made.gate_up[e]), Linear(made.down[e])});
  }
  return {experts, Linear(made.router), std::move(all)};
}

// One row in float64, all experts computed and those behind the k likeliest left out.
at::Tensor expected_row(const weights::Experts& experts, const Weights& made, const at::Tensor& x) {
  const at::Tensor scores = at::mv(made.router.to(at::kDouble), x);
  const auto [largest, chosen] = scores.topk(experts.n_per_token);
  const at::Tensor shares =
      experts.norm_topk_prob ? largest.softmax(0) : scores.softmax(0).index_select(0, chosen);
  at::Tensor sum = at::zeros_like(x);
  for (int i = 0; i < experts.n_per_token; ++i) {
    const auto e = chosen[i].item<std::int64_t>();
    const at::Tensor inner = at::mv(made.gate_up[e].to(at::kDouble), x);
    const std::int64_t width = inner.size(0) / 2;
    const at::Tensor gate = inner.narrow(0, 0, width);
    const at::Tensor up = inner.narrow(0, width, width);
    sum += shares[i] * at::mv(made.down[e].to(at::kDouble), gate * gate.sigmoid() * up);
  }
  return sum;
}

}  // namespace

TEST_CASE("Each row gets what its likeliest experts add, by their weights", "[unit]") {
  at::manual_seed(3);
  const weights::Experts experts = settings(GENERATE(false, true));
  const Weights made = make_weights(experts, 16);
  const at::Tensor x = at::randn({37, 16});
  std::vector<at::Tensor> rows;
  for (std::int64_t i = 0; i < x.size(0); ++i) {
    rows.push_back(expected_row(experts, made, x[i].to(at::kDouble)));
  }
  CHECK(support::largest_difference(mlp_of(experts, made)(x, false), at::stack(rows)) < 1e-5);
}

TEST_CASE("A row's bits do not depend on which rows its experts get beside it", "[unit]") {
  at::manual_seed(4);
  const weights::Experts experts = settings(true);
  const ExpertMlp mlp = mlp_of(experts, make_weights(experts, 16));
  const at::Tensor x = at::randn({70, 16});
  const at::Tensor together = mlp(x, false);
  for (std::int64_t i = 0; i < x.size(0); ++i) {
    INFO("row " << i);
    CHECK(at::equal(mlp(x.narrow(0, i, 1), false)[0], together[i]));
  }
  CHECK(at::equal(mlp(x.narrow(0, 3, 40), false), together.narrow(0, 3, 40)));
}

TEST_CASE("Of experts with equal scores the first are taken", "[unit]") {
  weights::Experts experts = settings(true);
  const Routing routing =
      route(at::tensor({1.0F, 2.0F, 2.0F, 0.0F, 2.0F, 1.0F}).unsqueeze(0), experts);
  CHECK(routing.experts == std::vector<std::int64_t>{1, 2});
  CHECK(routing.weights == std::vector<float>{0.5F, 0.5F});
}

TEST_CASE("The activation of gpt-oss is cut at its limit", "[unit]") {
  const at::Tensor found =
      clamped_swiglu(at::tensor({9.0F, -9.0F, 0.5F, 9.0F, -9.0F, 2.0F}).unsqueeze(0), 1.702, 7.0);
  const auto swiglu = [](double gate, double up) {
    return (up + 1) * gate / (1 + std::exp(-1.702 * gate));
  };
  const at::Tensor expected =
      at::tensor({swiglu(7, 7), swiglu(-9, -7), swiglu(0.5, 2)}, at::kDouble).unsqueeze(0);
  CHECK(support::largest_difference(found, expected) < 1e-5);
}

}  // namespace labelprobe::model
