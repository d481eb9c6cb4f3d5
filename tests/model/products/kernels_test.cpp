// The fast paths against what they must mean, in plain tensor operations.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <ATen/ATen.h>

#include "model/attention/attention.h"
#include "model/attention/attention_sum.h"
#include "model/attention/segment_attention.h"
#include "model/engine/step_reader.h"
#include "model/products/add_rows.h"
#include "model/products/gated_silu.h"
#include "model/products/rms_norm.h"
#include "model/products/rotate_heads.h"
#include "support/catch.h"
#include "support/tensors.h"

namespace labelprobe::model {
namespace {

// Strided rows: the middle of a wider tensor, as the parts of a fused projection are.
at::Tensor strided_randn(std::int64_t rows, std::int64_t heads, std::int64_t dim) {
  return at::randn({rows, heads + 3, dim}).narrow(1, 1, heads);
}

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

TEST_CASE("Attention by blocks, merged, is attention over all keys", "[unit]") {
  at::manual_seed(1);
  const std::int64_t n_kv = GENERATE(1, 3);
  const std::int64_t n_groups = GENERATE(1, 4);
  const std::int64_t n_queries = 37;
  const at::Tensor queries =
      strided_randn(n_queries, n_kv * n_groups, 16).view({n_queries, n_kv, n_groups, 16});
  const at::Tensor keys = strided_randn(60 + n_queries, n_kv, 16);
  const at::Tensor values = strided_randn(60 + n_queries, n_kv, 16);
  const auto part = [&](int first, int n, Mask mask) {
    return attend_rows(queries, keys.narrow(0, first, n), values.narrow(0, first, n), mask);
  };
  AttentionSum sum = empty_attention_sum(queries);
  const PartialAttention own = part(60, n_queries, Mask::Causal);
  const PartialAttention far = part(0, 21, Mask::None);
  const PartialAttention near = part(21, 39, Mask::None);
  accumulate(sum, 0, own.values, own.logs, Accumulate::Set);
  accumulate(sum, 0, near.values, near.logs, Accumulate::Merge);
  accumulate(sum, 0, far.values, far.logs, Accumulate::Merge);

  // In float64 and one piece.
  const at::Tensor q = queries.permute({1, 2, 0, 3}).to(at::kDouble);
  const at::Tensor k = keys.permute({1, 2, 0}).unsqueeze(1).to(at::kDouble);
  const at::Tensor v = values.permute({1, 0, 2}).unsqueeze(1).to(at::kDouble);
  at::Tensor scores = at::matmul(q, k) / 4.0;
  const at::Tensor future = at::ones({n_queries, 60 + n_queries}, at::kBool).triu(61);
  scores.masked_fill_(future, -std::numeric_limits<double>::infinity());
  const at::Tensor expected = at::matmul(scores.softmax(-1), v).permute({2, 0, 1, 3});
  CHECK(support::largest_difference(sum.values, expected) < 1e-6);
  CHECK(support::largest_difference(sum.logs, scores.logsumexp(-1).permute({2, 0, 1})) < 1e-5);

  for (const Mask mask : {Mask::None, Mask::Causal}) {
    const PartialAttention plain = attend_rows_plainly(queries, keys.narrow(0, 0, n_queries),
                                                       values.narrow(0, 0, n_queries), mask);
    const PartialAttention fast = part(0, static_cast<int>(n_queries), mask);
    CHECK(support::largest_difference(plain.values, fast.values) < 1e-5);
    CHECK(support::largest_difference(plain.logs, fast.logs) < 1e-5);
  }
}

TEST_CASE("Attention over all segments of a pack is attention over one set after the other",
          "[unit]") {
  at::manual_seed(6);
  // Whole and broken registers, a head smaller than one, more than one block of columns.
  const std::int64_t n_dims = GENERATE(8, 20, 32, 64, 80, 96, 128);
  const std::int64_t n_kv = GENERATE(1, 3);
  const std::int64_t n_groups = GENERATE(1, 7);
  const std::int64_t n_rows = 75;
  const at::Tensor queries =
      strided_randn(n_rows, n_kv * n_groups, n_dims).view({n_rows, n_kv, n_groups, n_dims}) * 3;
  const at::Tensor keys = at::randn({400, n_kv, n_dims});
  const at::Tensor values = at::randn({400, n_kv, n_dims});
  const std::vector<KeySegment> segments = {
      {10, 200, 0, n_rows, Mask::None}, {210, 3, 0, 3, Mask::Causal},
      {300, 70, 3, 73, Mask::Causal},   {0, 1, 31, 33, Mask::None},
      {213, 17, 40, 75, Mask::None},    {5, 1, 73, 74, Mask::Causal},
      {367, 33, 74, 75, Mask::None},    {230, 128, 20, 64, Mask::None},
  };
  // One row at a time, over its keys in one piece, in float64.
  std::vector<at::Tensor> expected;
  for (std::int64_t row = 0; row < n_rows; ++row) {
    std::vector<std::int64_t> seen;
    for (const KeySegment& segment : segments) {
      if (row < segment.first_row || row >= segment.end_row) continue;
      const std::int64_t n =
          segment.mask == Mask::Causal ? row - segment.first_row + 1 : segment.n_keys;
      for (std::int64_t i = 0; i < n; ++i) seen.push_back(segment.first_key + i);
    }
    const at::Tensor index = at::tensor(seen);
    const at::Tensor k = keys.index_select(0, index).permute({1, 2, 0}).to(at::kDouble);
    const at::Tensor v = values.index_select(0, index).transpose(0, 1).to(at::kDouble);
    const at::Tensor scores =
        at::matmul(queries[row].to(at::kDouble), k) / std::sqrt(static_cast<double>(n_dims));
    expected.push_back(at::matmul(scores.softmax(-1), v).flatten());
  }
  SegmentAttention attention(at::kCPU);
  // A plan is made in the memory of the last one.
  attention.plan(200, std::vector<KeySegment>{{0, 7, 0, 200, Mask::None}});
  attention.plan(n_rows, segments);
  CHECK(support::largest_difference(attention.attend(queries, keys, values), at::stack(expected)) <
        1e-5);
  CHECK(support::largest_difference(attend_plainly(queries, keys, values, segments),
                                    at::stack(expected)) < 1e-5);
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    const at::Tensor half = SegmentAttention(n_rows, segments, at::kCPU)
                                .attend(queries.to(type), keys.to(type), values.to(type));
    CHECK(half.scalar_type() == type);
    // A step of the type near 4, the largest result.
    CHECK(support::largest_difference(half, at::stack(expected)) <
          (type == at::kHalf ? 2e-2 : 1e-1));
  }
}

TEST_CASE("A row that sees one key gets its value", "[unit]") {
  at::manual_seed(8);
  const at::ScalarType type = GENERATE(at::kFloat, at::kBFloat16);
  const at::Tensor queries = at::randn({1, 2, 3, 64}).to(type);
  const at::Tensor keys = at::randn({5, 2, 64}).to(type);
  const at::Tensor values = at::randn({5, 2, 64}).to(type);
  const std::vector<KeySegment> segments = {{4, 1, 0, 1, Mask::Causal}};
  const at::Tensor result = SegmentAttention(1, segments, at::kCPU).attend(queries, keys, values);
  CHECK(at::equal(result.view({2, 3, 64}), values[4].unsqueeze(1).expand({2, 3, 64})));
}

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
  const at::Tensor heads = strided_randn(n_rows, 5, 2 * half_dim);
  const at::Tensor c = angles.cos().unsqueeze(1);
  const at::Tensor s = angles.sin().unsqueeze(1);
  const at::Tensor left = heads.narrow(2, 0, half_dim).to(at::kDouble);
  const at::Tensor right = heads.narrow(2, half_dim, half_dim).to(at::kDouble);
  const at::Tensor rotated = at::cat({left * c - right * s, right * c + left * s}, 2);
  const at::Tensor cosines = angles.cos().to(at::kFloat);
  const at::Tensor sines = angles.sin().to(at::kFloat);
  at::Tensor half = strided_randn(n_rows, 5, 2 * half_dim).to(at::kBFloat16);
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

TEST_CASE("The log of the sum of exp covers the whole vocabulary", "[unit]") {
  at::manual_seed(4);
  const auto read = GENERATE(read_step, read_packed<pack_step>, read_packed<pack_step_plainly>);
  const float infinity = std::numeric_limits<float>::infinity();
  const double scale = GENERATE(0.0, 1.0, 12.0);
  at::Tensor logits = at::randn({3, 1237}) * scale;
  logits[1].sub_(500.0);
  logits[2].narrow(0, 1, 1236).fill_(-infinity);
  const at::Tensor wide = logits.to(at::kDouble);
  const at::Tensor expected = wide.logsumexp(1);
  const auto readings = read(logits, {}, 0);
  for (int row = 0; row < 3; ++row) {
    const double exact = expected[row].item<double>();
    CHECK(std::abs(readings[row].step.log_sum_exp - exact) <= 1e-6 * (std::abs(exact) + 1));
  }
  logits[0][7] = infinity;
  CHECK(read(logits, {}, 0)[0].step.log_sum_exp == infinity);
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
