// What is counted of prompts small enough to count by hand.
#include "model/cost/workload.h"

#include <numeric>

#include "support/catch.h"

namespace labelprobe::model::cost {
namespace {

ModelInfo info() {
  ModelInfo info;
  info.vocab_size = 100;
  info.max_context = 1000;
  info.cache_bytes_per_token = 16;
  return info;
}

// Their tree has six tokens: 1 2, behind them 3 4 6 and 5.
const std::vector<TokenIds> kPrompts = {{1, 2, 3, 4}, {1, 2, 5}, {1, 2, 3, 4, 6}};

Workload count(const std::vector<TokenIds>& prompts,
               const GenerateOptions& options,
               const AttentionKind& kind,
               const Limits& limits) {
  const ModelInfo model = info();
  weights::DecoderConfig config;
  config.n_layers = config.n_kv_heads = 1;
  config.n_heads = kind.shape.n_groups;
  config.head_dim = 4;
  return count_workload(Request(prompts, options, model), 0, limits, {config, 2, kind.is_gpu},
                        kind);
}

GenerateOptions new_tokens(int n) {
  GenerateOptions options;
  options.stop.max_new_tokens = n;
  return options;
}

AttentionKind on_gpu() {
  AttentionKind kind;
  kind.is_gpu = true;
  kind.shape.n_groups = 4;
  return kind;
}

}  // namespace

TEST_CASE("Every distinct token is a row, and sees those before it", "[unit]") {
  const Workload work = count(kPrompts, new_tokens(1), {}, kCpuLimits);
  CHECK(work.n_prompt_tokens == 12);
  CHECK(work.n_prompt_rows == 6);
  CHECK(work.n_sequences == 3);
  REQUIRE(work.packs.size() == 1);
  CHECK(work.packs[0].n_rows == 6);
  CHECK(work.packs[0].n_kept == 3);
  CHECK(work.packs[0].attention.n_pairs == 1 + 2 + 3 + 4 + 5 + 3);
  CHECK(work.n_first_rows == std::vector<std::int64_t>{3});
  CHECK(work.steps.empty());
  CHECK(work.n_arena_rows == 6 + 3);
}

TEST_CASE("Without sharing every token is a row", "[unit]") {
  GenerateOptions options = new_tokens(1);
  options.share_prefixes = false;
  const Workload work = count(kPrompts, options, {}, kCpuLimits);
  CHECK(work.n_prompt_rows == 12);
  CHECK(work.packs[0].attention.n_pairs == 10 + 6 + 15);
}

TEST_CASE("A step has a row of each answer that goes on", "[unit]") {
  GenerateOptions options = new_tokens(3);
  options.n_new_tokens = {3, 2, 1};
  const Workload work = count(kPrompts, options, {}, kCpuLimits);
  REQUIRE(work.steps.size() == 2);
  CHECK(work.steps[0].n_rows == 2);
  CHECK(work.steps[0].attention.n_pairs == 5 + 4);
  CHECK(work.steps[1].n_rows == 1);
  CHECK(work.steps[1].attention.n_pairs == 6);
  CHECK(work.steps[0].is_awaited);
}

TEST_CASE("What explorers ask for is spread over the depths", "[unit]") {
  const ModelInfo model = info();
  weights::DecoderConfig config;
  config.n_layers = config.n_kv_heads = config.n_heads = 1;
  config.head_dim = 4;
  ExploreOptions options;
  options.greedy = new_tokens(3);
  options.reach = {{20, 2}};
  const Workload work =
      count_workload(Request(kPrompts, options, model), 10, kCpuLimits, {config, 2, false}, {});
  REQUIRE(work.explored.size() == 2);
  CHECK(work.explored[0].n_rows == 3 * 10 / 2);
  // Each sees its prompt, and half of the depth.
  CHECK(work.explored[0].attention.n_pairs == 5 * (4 + 1) + 5 * (3 + 1) + 5 * (5 + 1));
  CHECK(count(kPrompts, new_tokens(3), {}, kCpuLimits).explored.empty());
}

TEST_CASE("Rows that see the same keys are one block of attention on a GPU", "[unit]") {
  const Workload work = count(kPrompts, new_tokens(2), on_gpu(), kGpuLimits);
  const AttentionWork& pack = work.packs[0].attention;
  // The rows of each node, with four queries a row: 1 2 with 2 keys, 3 4 6 with 5, 5 with 3.
  CHECK(pack.wide.n == 0);
  CHECK(pack.narrow.n == 1);
  CHECK(pack.narrow.n_keys == 5);
  CHECK(pack.thin.n == 2);
  CHECK(pack.thin.n_keys == 2 + 3);
  CHECK(pack.n_parts == 6);
  REQUIRE(work.steps.size() == 1);
  CHECK(work.steps[0].attention.thin.n == 3);
  CHECK(work.steps[0].attention.thin.n_keys == 5 + 6 + 4);
  CHECK_FALSE(work.steps[0].is_awaited);
}

TEST_CASE("Steps that many answers take together are recorded from the third on", "[unit]") {
  const Workload work = count(kPrompts, new_tokens(9), on_gpu(), kGpuLimits);
  REQUIRE(work.steps.size() == 8);
  for (std::size_t i = 0; i < work.steps.size(); ++i) CHECK(work.steps[i].is_recorded == (i > 1));
  // Each step adds a key to each row.
  for (std::size_t i = 1; i < work.steps.size(); ++i) {
    CHECK(work.steps[i].attention.thin.n_keys == work.steps[i - 1].attention.thin.n_keys + 3);
    CHECK(work.steps[i].attention.n_pairs == work.steps[i - 1].attention.n_pairs + 3);
  }
}

TEST_CASE("Prompts that the model cannot take are not counted", "[unit]") {
  std::vector<TokenIds> prompts = kPrompts;
  prompts.push_back(TokenIds(1001, 7));
  prompts.push_back({100});
  CHECK(count(prompts, new_tokens(1), {}, kCpuLimits).n_prompt_rows == 6);
}

TEST_CASE("Packs and chunks are those of the limits", "[unit]") {
  Limits limits = kCpuLimits;
  limits.rows_per_pack = 4;
  const Workload work = count(kPrompts, new_tokens(1), {}, limits);
  CHECK(work.packs.size() == 2);
  CHECK(work.n_prompt_rows == 6);
  GenerateOptions options = new_tokens(1);
  options.batch_size = 2;
  CHECK(count(kPrompts, options, {}, kCpuLimits).n_first_rows == std::vector<std::int64_t>{2, 1});
}

}  // namespace labelprobe::model::cost
