// Attention over a prefix tree: what it must mean, and that a row's bits depend on nothing but what
// it sees.
#include "model/attention/segment_attention.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "model/attention/attention.h"
#include "model/attention/attention_sum.h"
#include "model/attention/batched_attention.h"
#include "model/attention/row_attention.h"
#include "support/catch.h"
#include "support/tensors.h"

namespace labelprobe::model {
namespace {

// Nodes of a tree, parents first, whose tokens are rows of one pass and lie anywhere in an arena.
struct Node {
  int parent = -1;
  std::int64_t n_tokens = 0;
  std::int64_t first_position = 0;
  std::int64_t first_key = 0;
  std::int64_t first_row = 0;
};

struct Forest {
  std::vector<Node> nodes;
  std::int64_t n_rows = 0;
  std::int64_t n_keys = 0;  // of the arena

  // The arena's rows from the first position to that of row `row` of `node`.
  std::vector<std::int64_t> path(int node, std::int64_t row) const {
    std::vector<std::int64_t> keys;
    for (int i = node; i >= 0; i = nodes[i].parent) {
      const std::int64_t n = i == node ? row - nodes[i].first_row + 1 : nodes[i].n_tokens;
      std::vector<std::int64_t> own(n);
      std::iota(own.begin(), own.end(), nodes[i].first_key);
      keys.insert(keys.begin(), own.begin(), own.end());
    }
    return keys;
  }

  // Every node's rows see themselves causally, and each ancestor whole.
  std::vector<KeySegment> segments() const {
    std::vector<KeySegment> all;
    for (const Node& node : nodes) {
      const std::int64_t end_row = node.first_row + node.n_tokens;
      for (int i = node.parent; i >= 0; i = nodes[i].parent) {
        all.push_back({nodes[i].first_key, nodes[i].n_tokens, node.first_row, end_row, Mask::None,
                       nodes[i].first_position});
      }
      all.push_back({node.first_key, node.n_tokens, node.first_row, end_row, Mask::Causal,
                     node.first_position});
    }
    return all;
  }
};

// Depth first: a node's descendants follow it.
Forest make_forest(unsigned seed, const std::vector<std::pair<int, std::int64_t>>& shape) {
  std::mt19937 random(seed);
  Forest forest;
  std::vector<std::size_t> order(shape.size());
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random);
  for (const auto& [parent, n_tokens] : shape) {
    Node node{parent, n_tokens, 0, 0, forest.n_rows};
    if (parent >= 0) {
      node.first_position = forest.nodes[parent].first_position + forest.nodes[parent].n_tokens;
    }
    forest.nodes.push_back(node);
    forest.n_rows += n_tokens;
  }
  for (const std::size_t i : order) {
    forest.nodes[i].first_key = forest.n_keys;
    forest.n_keys += forest.nodes[i].n_tokens + static_cast<std::int64_t>(random() % 3);
  }
  return forest;
}

// Branches within, at and just beside the borders of blocks; deep and flat; rows that cross spans.
Forest forest_of_all_kinds() {
  return make_forest(5, {{-1, 70},
                         {0, 3},
                         {1, 1},
                         {1, 40},
                         {3, 2},
                         {3, 130},
                         {0, 58},
                         {6, 1},
                         {6, 64},
                         {6, 5},
                         {-1, 1},
                         {10, 63},
                         {11, 1},
                         {11, 2},
                         {-1, 16},
                         {14, 48},
                         {14, 17},
                         {16, 31}});
}

struct Numbers {
  at::Tensor queries;
  at::Tensor keys;
  at::Tensor values;
};

Numbers numbers_for(const Forest& forest,
                    std::int64_t n_kv,
                    std::int64_t n_groups,
                    std::int64_t n_dims) {
  return {support::strided_randn(forest.n_rows, n_kv * n_groups, n_dims)
                  .view({forest.n_rows, n_kv, n_groups, n_dims}) *
              3,
          at::randn({forest.n_keys, n_kv, n_dims}), at::randn({forest.n_keys, n_kv, n_dims})};
}

// A row's keys in one piece, in float64.
at::Tensor expected_row(const Numbers& numbers,
                        std::int64_t row,
                        std::vector<std::int64_t> path,
                        const AttentionForm& form = {}) {
  const auto n = static_cast<std::int64_t>(path.size());
  if (form.window > 0 && form.window < n) path.erase(path.begin(), path.end() - form.window);
  const at::Tensor index = at::tensor(path);
  const at::Tensor k = numbers.keys.index_select(0, index).permute({1, 2, 0}).to(at::kDouble);
  const at::Tensor v = numbers.values.index_select(0, index).transpose(0, 1).to(at::kDouble);
  at::Tensor scores =
      at::matmul(numbers.queries[row].to(at::kDouble), k) * form.scale_of(k.size(1));
  if (form.softcap != 0) scores = (scores / form.softcap).tanh() * form.softcap;
  if (form.sinks.defined()) {
    const at::Tensor sinks = form.sinks.to(at::kDouble).view({scores.size(0), scores.size(1), 1});
    scores = at::cat({scores, sinks}, 2);
  }
  return at::matmul(scores.softmax(-1).narrow(2, 0, index.size(0)), v).flatten();
}

at::Tensor attend(const CpuSegmentPlan& plan, const Numbers& numbers, CpuSegmentPlan::Code code) {
  return plan.attend(numbers.queries, numbers.keys, numbers.values, {}, code);
}

struct FormCase {
  const char* name;
  double scale;
  double softcap;
  std::int64_t window;
  bool has_sinks;
};

// Windows shorter than a block, of whole blocks, beyond most texts.
constexpr std::array kForms = {
    FormCase{"scale", 0.3, 0, 0, false},       FormCase{"cap", 0, 4, 0, false},
    FormCase{"sinks", 0, 0, 0, true},          FormCase{"window of one", 0, 0, 1, false},
    FormCase{"short window", 0, 0, 7, false},  FormCase{"window", 0, 0, 64, false},
    FormCase{"long window", 0, 0, 150, false}, FormCase{"all of it", 0.2, 3, 33, true},
};

AttentionForm form_of(const FormCase& one, std::int64_t n_heads) {
  return {one.scale, one.softcap, one.window,
          one.has_sinks ? at::randn({n_heads}) * 3 : at::Tensor()};
}

}  // namespace

TEST_CASE("Attention by sets of keys, merged, is attention over all keys", "[unit]") {
  at::manual_seed(1);
  const std::int64_t n_kv = GENERATE(1, 3);
  const std::int64_t n_groups = GENERATE(1, 4);
  const std::int64_t n_queries = 37;
  const at::Tensor queries =
      support::strided_randn(n_queries, n_kv * n_groups, 16).view({n_queries, n_kv, n_groups, 16});
  const at::Tensor keys = support::strided_randn(60 + n_queries, n_kv, 16);
  const at::Tensor values = support::strided_randn(60 + n_queries, n_kv, 16);
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
}

TEST_CASE("Attention over a tree is attention of every row over its path", "[unit]") {
  at::manual_seed(6);
  // Whole and broken registers, a head smaller than one, more than one block of columns.
  const std::int64_t n_dims = GENERATE(8, 15, 20, 32, 64, 80, 96, 128);
  const std::int64_t n_kv = GENERATE(1, 3);
  const std::int64_t n_groups = GENERATE(1, 7);
  const Forest forest = forest_of_all_kinds();
  const Numbers numbers = numbers_for(forest, n_kv, n_groups, n_dims);
  std::vector<at::Tensor> rows;
  for (std::size_t i = 0; i < forest.nodes.size(); ++i) {
    const Node& node = forest.nodes[i];
    for (std::int64_t row = node.first_row; row < node.first_row + node.n_tokens; ++row) {
      rows.push_back(expected_row(numbers, row, forest.path(static_cast<int>(i), row)));
    }
  }
  const at::Tensor expected = at::stack(rows);
  const std::vector<KeySegment> segments = forest.segments();
  SegmentAttention attention(at::kCPU);
  // A plan is made in the memory of the last one.
  attention.plan(200, std::vector<KeySegment>{{0, 7, 0, 200, Mask::None}});
  attention.plan(forest.n_rows, segments);
  CHECK(support::largest_difference(attention.attend(numbers.queries, numbers.keys, numbers.values),
                                    expected) < 1e-5);
  CHECK(support::largest_difference(
            attend_plainly(numbers.queries, numbers.keys, numbers.values, segments), expected) <
        1e-5);
  CpuSegmentPlan plan;
  plan.plan(forest.n_rows, segments);
  CHECK(support::largest_difference(attend(plan, numbers, CpuSegmentPlan::Code::Plain), expected) <
        1e-5);
  // What a GPU without our kernels does.
  BatchedAttention batched;
  batched.plan(forest.n_rows, segments);
  CHECK(support::largest_difference(batched.attend(numbers.queries, numbers.keys, numbers.values),
                                    expected) < 1e-5);
  if (!CpuSegmentPlan::can_attend(at::kBFloat16) || n_dims % 2 != 0) return;
  const at::Tensor half =
      attention.attend(numbers.queries.to(at::kBFloat16), numbers.keys.to(at::kBFloat16),
                       numbers.values.to(at::kBFloat16));
  CHECK(half.scalar_type() == at::kBFloat16);
  CHECK(support::largest_difference(half, expected) < 1e-1);  // a step of the type near 4
}

TEST_CASE("A row's bits depend on what it sees alone", "[unit]") {
  at::manual_seed(7);
  const at::ScalarType type = GENERATE(at::kFloat, at::kBFloat16);
  const CpuSegmentPlan::Code code =
      GENERATE(CpuSegmentPlan::Code::Fastest, CpuSegmentPlan::Code::Plain);
  if (!CpuSegmentPlan::can_attend(type)) return;
  if (type == at::kBFloat16 && code == CpuSegmentPlan::Code::Plain) return;
  const std::int64_t n_dims = GENERATE(20, 64);
  const Forest forest = forest_of_all_kinds();
  Numbers numbers = numbers_for(forest, 2, 3, n_dims);
  numbers = {numbers.queries.to(type), numbers.keys.to(type), numbers.values.to(type)};
  CpuSegmentPlan all;
  all.plan(forest.n_rows, forest.segments());
  const at::Tensor together = attend(all, numbers, code);
  at::set_num_threads(1);
  CHECK(at::equal(attend(all, numbers, code), together));
  at::set_num_threads(2);

  for (std::size_t i = 0; i < forest.nodes.size(); ++i) {
    const Node& node = forest.nodes[i];
    for (std::int64_t row = node.first_row; row < node.first_row + node.n_tokens; ++row) {
      INFO("row " << row);
      // Alone, its keys in one piece.
      const at::Tensor index = at::tensor(forest.path(static_cast<int>(i), row));
      const std::int64_t n = index.size(0);
      CpuSegmentPlan alone;
      alone.plan(1, std::vector<KeySegment>{{2, n, 0, 1, Mask::None, 0}});
      const auto moved = [&](const at::Tensor& rows) {
        return at::cat({rows.narrow(0, 0, 2), rows.index_select(0, index), rows.narrow(0, 0, 1)});
      };
      const Numbers own = {numbers.queries.narrow(0, row, 1), moved(numbers.keys),
                           moved(numbers.values)};
      CHECK(at::equal(attend(alone, own, code)[0], together[row]));
      // As the second of two tokens that follow the others.
      if (n < 2) continue;
      CpuSegmentPlan pair;
      pair.plan(2, std::vector<KeySegment>{{2, n - 2, 0, 2, Mask::None, 0},
                                           {n, 2, 0, 2, Mask::Causal, n - 2}});
      const Numbers two = {at::cat({own.queries, own.queries}), own.keys, own.values};
      CHECK(at::equal(attend(pair, two, code)[1], together[row]));
    }
  }
}

TEST_CASE("Every form of attention is the same in all ways of computing it", "[unit]") {
  at::manual_seed(9);
  const FormCase one = GENERATE(from_range(kForms));
  INFO(one.name);
  const std::int64_t n_dims = 20;
  const Forest forest = forest_of_all_kinds();
  const Numbers numbers = numbers_for(forest, 2, 3, n_dims);
  const AttentionForm form = form_of(one, 6);
  std::vector<at::Tensor> rows;
  std::vector<at::Tensor> by_weights;
  for (std::size_t i = 0; i < forest.nodes.size(); ++i) {
    const Node& node = forest.nodes[i];
    for (std::int64_t row = node.first_row; row < node.first_row + node.n_tokens; ++row) {
      const std::vector<std::int64_t> path = forest.path(static_cast<int>(i), row);
      rows.push_back(expected_row(numbers, row, path, form));
      std::vector<KeySpan> runs;
      for (std::size_t p = 0; p < path.size(); ++p) {
        runs.push_back({path[p], 1, static_cast<std::int64_t>(p)});
      }
      const RowWeights weights(numbers.queries[row], numbers.keys, runs, form);
      by_weights.push_back(
          weights.contribution({{0, static_cast<std::int64_t>(path.size())}}, numbers.values));
    }
  }
  const at::Tensor expected = at::stack(rows);
  const std::vector<KeySegment> segments = forest.segments();
  const auto check = [&](const at::Tensor& found, double allowed = 2e-5) {
    CHECK(support::largest_difference(found, expected) < allowed);
  };
  check(at::stack(by_weights));
  check(attend_plainly(numbers.queries, numbers.keys, numbers.values, segments, form));
  CpuSegmentPlan plan;
  plan.plan(forest.n_rows, segments);
  check(plan.attend(numbers.queries, numbers.keys, numbers.values, form));
  check(plan.attend(numbers.queries, numbers.keys, numbers.values, form,
                    CpuSegmentPlan::Code::Plain));
  BatchedAttention batched;
  batched.plan(forest.n_rows, segments, form.window);
  check(batched.attend(numbers.queries, numbers.keys, numbers.values, form));
  if (!CpuSegmentPlan::can_attend(at::kBFloat16)) return;
  check(plan.attend(numbers.queries.to(at::kBFloat16), numbers.keys.to(at::kBFloat16),
                    numbers.values.to(at::kBFloat16), form),
        1e-1);
}

TEST_CASE("In every form a row's bits depend on what it sees alone", "[unit]") {
  at::manual_seed(10);
  const FormCase one = GENERATE(from_range(kForms));
  const CpuSegmentPlan::Code code =
      GENERATE(CpuSegmentPlan::Code::Fastest, CpuSegmentPlan::Code::Plain);
  INFO(one.name);
  const Forest forest = forest_of_all_kinds();
  const Numbers numbers = numbers_for(forest, 2, 3, 20);
  const AttentionForm form = form_of(one, 6);
  CpuSegmentPlan all;
  all.plan(forest.n_rows, forest.segments());
  const at::Tensor together = all.attend(numbers.queries, numbers.keys, numbers.values, form, code);
  for (std::size_t i = 0; i < forest.nodes.size(); ++i) {
    const Node& node = forest.nodes[i];
    for (std::int64_t row = node.first_row; row < node.first_row + node.n_tokens; ++row) {
      const at::Tensor index = at::tensor(forest.path(static_cast<int>(i), row));
      CpuSegmentPlan alone;
      alone.plan(1, std::vector<KeySegment>{{0, index.size(0), 0, 1, Mask::None, 0}});
      const at::Tensor found =
          alone.attend(numbers.queries.narrow(0, row, 1), numbers.keys.index_select(0, index),
                       numbers.values.index_select(0, index), form, code);
      INFO("row " << row);
      CHECK(at::equal(found[0], together[row]));
    }
  }
}

TEST_CASE("A row that sees one key gets its value", "[unit]") {
  at::manual_seed(8);
  const at::ScalarType type = GENERATE(at::kFloat, at::kBFloat16);
  if (!CpuSegmentPlan::can_attend(type)) return;
  const at::Tensor queries = at::randn({1, 2, 3, 64}).to(type);
  const at::Tensor keys = at::randn({5, 2, 64}).to(type);
  const at::Tensor values = at::randn({5, 2, 64}).to(type);
  const std::vector<KeySegment> segments = {{4, 1, 0, 1, Mask::Causal}};
  const at::Tensor result = SegmentAttention(1, segments, at::kCPU).attend(queries, keys, values);
  CHECK(at::equal(result.view({2, 3, 64}), values[4].unsqueeze(1).expand({2, 3, 64})));
}

TEST_CASE("A plan in which a row misses a position of its text is refused", "[unit]") {
  CpuSegmentPlan plan;
  CHECK_THROWS(plan.plan(1, std::vector<KeySegment>{{0, 4, 0, 1, Mask::None, 1}}));
  CHECK_THROWS(plan.plan(
      1, std::vector<KeySegment>{{0, 4, 0, 1, Mask::None, 0}, {4, 1, 0, 1, Mask::Causal, 5}}));
  CHECK_THROWS(plan.plan(2, std::vector<KeySegment>{{0, 4, 0, 1, Mask::None, 0}}));
}

}  // namespace labelprobe::model
