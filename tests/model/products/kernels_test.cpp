// The fast paths against what they must mean, in plain tensor operations.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <ATen/ATen.h>

#include "model/engine/step_reader.h"
#include "model/products/add_rows.h"
#include "model/products/gated_silu.h"
#include "model/products/rms_norm.h"
#include "model/products/rotate_heads.h"
#include "support/catch.h"
#include "support/tensors.h"

namespace labelprobe::model {
namespace {

// As a step that runs ahead of its readings, by one way of packing its numbers.
template <at::Tensor (*kPack)(const at::Tensor&, const at::Tensor&, int)>
std::vector<StepReading> read_packed(const at::Tensor& logits,
                                     std::span<const TokenId> watched,
                                     int n_top_tokens) {
  const at::Tensor packed = kPack(logits, watched_columns(watched, logits.device()), n_top_tokens);
  const at::Tensor best = best_tokens(packed);
  std::vector<StepReading> readings = StepOnItsWay(packed).wait(watched.size(), n_top_tokens);
  for (std::int64_t b = 0; b < best.size(0); ++b) {
    CHECK(static_cast<double>(readings[b].best) == best[b].item<double>());
  }
  return readings;
}

}  // namespace

TEST_CASE("Element-wise kernels agree with tensor operations in float64", "[unit]") {
  at::manual_seed(3);
  const std::int64_t n_rows = GENERATE(1, 3, 33);
  const std::int64_t width = GENERATE(1, 12, 61, 64, 576);
  constexpr double kHalfBound = 1e-2;  // of numbers as large as 1: bfloat16 has 8 bits
  const at::Tensor x = at::randn({n_rows, width + 9}).narrow(1, 3, width);
  const at::Tensor weight = at::randn({width});
  const auto norm_of = [&weight](const at::Tensor& of) {
    const at::Tensor wide = of.to(at::kDouble);
    return wide / (wide.square().mean(-1, true) + 1e-5).sqrt() * weight;
  };
  // Against the size of the numbers, or 1.
  const auto share_off = [](const at::Tensor& a, const at::Tensor& b) {
    return support::largest_difference(a, b) / std::max(1.0, b.abs().max().item<double>());
  };
  CHECK(share_off(rms_norm(x, weight, 1e-5), norm_of(x)) < 1e-6);
  const at::Tensor in_half = rms_norm(x, weight, 1e-5, at::kBFloat16);
  CHECK(in_half.scalar_type() == at::kBFloat16);
  CHECK(share_off(in_half, norm_of(x)) < kHalfBound);
  const at::Tensor half = x.to(at::kBFloat16);
  CHECK(share_off(rms_norm(half, weight, 1e-5), norm_of(half)) < 2 * kHalfBound);

  const at::Tensor gate_up = at::randn({n_rows, 2 * width});
  const auto gated_of = [width](const at::Tensor& of) {
    const at::Tensor gate = of.narrow(1, 0, width).to(at::kDouble);
    return gate * gate.sigmoid() * of.narrow(1, width, width);
  };
  const at::Tensor gated = gated_of(gate_up);
  CHECK(share_off(gated_silu(gate_up.clone()), gated) < 1e-6);
  const at::Tensor half_gate_up = gate_up.to(at::kBFloat16);
  const at::Tensor half_gated = gated_of(half_gate_up);
  CHECK(share_off(gated_silu(half_gate_up.clone()), half_gated) < kHalfBound);

  at::Tensor sum = at::randn({n_rows, width});
  const at::Tensor part =
      GENERATE(at::kFloat, at::kBFloat16) == at::kFloat
          ? x
          : at::randn({n_rows, width + 2}).to(at::kBFloat16).narrow(1, 1, width);
  const at::Tensor total = sum.to(at::kDouble) + part;
  add_rows(sum, part);
  CHECK(share_off(sum, total) < 1e-6);
}

TEST_CASE("The gate of large numbers is their sign", "[unit]") {
  const at::Tensor extreme = at::tensor({-1e30f, 90.0f, -100.0f, 0.0f, 1.0f, 2.0f, 3.0f, 4.0f});
  const at::Tensor limits = gated_silu(extreme.unsqueeze(0));
  CHECK(support::largest_difference(limits[0], at::tensor({0.0f, 180.0f, 0.0f, 0.0f})) < 1e-4);
}

TEST_CASE("Rotated heads agree with tensor operations", "[unit]") {
  at::manual_seed(9);
  const std::int64_t n_rows = GENERATE(1, 33);
  const std::int64_t half_dim = GENERATE(1, 4, 32, 40, 64, 65);
  const at::Tensor angles = at::randn({n_rows, half_dim}, at::kDouble);
  const at::Tensor heads = support::strided_randn(n_rows, 5, 2 * half_dim);
  const at::Tensor c = angles.cos().unsqueeze(1);
  const at::Tensor s = angles.sin().unsqueeze(1);
  const at::Tensor left = heads.narrow(2, 0, half_dim).to(at::kDouble);
  const at::Tensor right = heads.narrow(2, half_dim, half_dim).to(at::kDouble);
  const at::Tensor rotated = at::cat({left * c - right * s, right * c + left * s}, 2);
  const at::Tensor cosines = angles.cos().to(at::kFloat);
  const at::Tensor sines = angles.sin().to(at::kFloat);
  at::Tensor half = support::strided_randn(n_rows, 5, 2 * half_dim).to(at::kBFloat16);
  half.copy_(heads);
  rotate_heads(half, cosines, sines);
  CHECK(support::largest_difference(half, rotated) < 5e-2);
  rotate_heads(heads, cosines, sines);
  CHECK(support::largest_difference(heads, rotated) < 1e-5);
}

TEST_CASE("Of equal logits the smallest id comes first", "[unit]") {
  at::Tensor logits = at::zeros({2, 300});
  logits[0][250] = 1.0;
  logits[0][17] = 1.0;
  logits[0][170] = 2.0;
  logits[1].fill_(-3.0);
  const auto read = GENERATE(read_step, read_packed<pack_step>, read_packed<pack_step_plainly>);
  const auto readings = read(logits, std::vector<TokenId>{250}, 4);
  CHECK(readings[0].best == 170);
  CHECK(readings[1].best == 0);
  std::vector<TokenId> ids;
  for (const TopToken& top : readings[0].step.top_tokens) ids.push_back(top.id);
  CHECK(ids == std::vector<TokenId>{170, 17, 250, 0});
  ids.clear();
  for (const TopToken& top : readings[1].step.top_tokens) ids.push_back(top.id);
  CHECK(ids == std::vector<TokenId>{0, 1, 2, 3});
  CHECK(readings[0].step.watched_logits == std::vector<float>{1.0f});
}

TEST_CASE("Negative logits and infinities are ordered as numbers are", "[unit]") {
  const auto read = GENERATE(read_step, read_packed<pack_step>, read_packed<pack_step_plainly>);
  const float infinity = std::numeric_limits<float>::infinity();
  const at::Tensor logits = at::tensor({-2.0f, -infinity, -0.0f, 0.0f, -1e-30f, infinity, 3e4f});
  const auto readings = read(logits.unsqueeze(0), {}, 7);
  TokenIds ids;
  for (const TopToken& top : readings[0].step.top_tokens) ids.push_back(top.id);
  CHECK(ids == TokenIds{5, 6, 2, 3, 4, 0, 1});
  CHECK(readings[0].step.top_tokens.back().logit == -infinity);
}

TEST_CASE("The log of the sum of exp and the entropy cover the whole vocabulary", "[unit]") {
  at::manual_seed(4);
  const auto read = GENERATE(read_step, read_packed<pack_step>, read_packed<pack_step_plainly>);
  const float infinity = std::numeric_limits<float>::infinity();
  const double scale = GENERATE(0.0, 1.0, 12.0);
  at::Tensor logits = at::randn({3, 1237}) * scale;
  logits[1].sub_(500.0);
  logits[2].narrow(0, 1, 1236).fill_(-infinity);
  const at::Tensor wide = logits.to(at::kDouble);
  const at::Tensor expected = wide.logsumexp(1);
  const at::Tensor entropies = at::special_entr(at::softmax(wide, 1)).sum(1);
  const auto readings = read(logits, {}, 0);
  for (int row = 0; row < 3; ++row) {
    const double exact = expected[row].item<double>();
    CHECK(std::abs(readings[row].step.log_sum_exp - exact) <= 1e-6 * (std::abs(exact) + 1));
    const double entropy = entropies[row].item<double>();
    CHECK(std::abs(readings[row].step.entropy - entropy) <= 2e-6 * (entropy + 1));
  }
  logits[0][7] = infinity;
  const Step infinite = read(logits, {}, 0)[0].step;
  CHECK(infinite.log_sum_exp == infinity);
  CHECK(infinite.entropy == 0.0F);
}

TEST_CASE("Logits that are not numbers are noticed wherever they are", "[unit]") {
  const int column = GENERATE(0, 5, 63, 64, 200, 299);
  at::Tensor logits = at::randn({2, 300});
  logits[1][column] = std::numeric_limits<float>::quiet_NaN();
  const auto read = GENERATE(read_step, read_packed<pack_step>, read_packed<pack_step_plainly>);
  const auto readings = read(logits, {}, 0);
  CHECK_FALSE(readings[0].has_nan);
  CHECK(readings[1].has_nan);
}

}  // namespace labelprobe::model
