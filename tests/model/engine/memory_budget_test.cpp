// How free memory is divided, for cards and models of known sizes.
#include "model/engine/memory_budget.h"

#include "support/catch.h"

namespace labelprobe::model {
namespace {

constexpr std::size_t kGiB = std::size_t{1} << 30;
constexpr std::size_t kMiB = std::size_t{1} << 20;

// Llama-3.1-8B and 3.3-70B in bfloat16: layers * 2 * key heads * head size * 2 bytes, and about
// 190 and 600 kB of activations.
constexpr MemoryNeeds kEight = {32 * 2 * 8 * 128 * 2, 192'000};
constexpr MemoryNeeds kSeventy = {80 * 2 * 8 * 128 * 2, 600'000};

constexpr MemoryBounds kBounds = {8192, 512, 16 * kGiB};

}  // namespace

TEST_CASE("Where memory is plenty the limits hold") {
  for (const std::size_t n_free : {std::size_t{0}, 120 * kGiB}) {
    const MemoryBudget budget = divide_memory(n_free, kEight, kBounds, 3000);
    CHECK(budget.rows_per_pack == 8192);
    CHECK(budget.rows_per_step == 512);
    CHECK(budget.arena_rows == 16 * kGiB / 131'072);
  }
}

TEST_CASE("A small rest of memory takes smaller packs, and has room for many of them") {
  // 70B in 4 bits on a card of 48 GB: 5.3 GB are left.
  const MemoryBudget budget = divide_memory(5300 * kMiB, kSeventy, kBounds, 3000);
  CHECK(budget.rows_per_pack == 1024);
  CHECK(budget.arena_rows == 5300 * kMiB / 2 / 327'680);
  // Most of the arena is for what a chunk computes.
  CHECK(budget.arena_rows - kSparePacks * budget.rows_per_pack > 6000);
}

TEST_CASE("Every total is divided so that its parts fit, down to the smallest packs") {
  for (std::size_t n_free = 64 * kMiB; n_free < 200 * kGiB; n_free += n_free / 7) {
    for (const MemoryNeeds& needs : {kEight, kSeventy}) {
      const MemoryBudget budget = divide_memory(n_free, needs, kBounds, 1);
      CAPTURE(n_free, needs.cache_per_token, budget.rows_per_pack, budget.arena_rows);
      CHECK(budget.rows_per_pack >= kFewestRowsPerPack);
      if (budget.rows_per_pack == kFewestRowsPerPack) continue;
      const auto n_rows = static_cast<std::size_t>(budget.rows_per_pack);
      const auto n_arena = static_cast<std::size_t>(budget.arena_rows) * needs.cache_per_token;
      CHECK(n_arena + n_rows * needs.activations_per_row <= n_free / 4 * 3);
      CHECK(budget.arena_rows >= 8 * budget.rows_per_pack);
    }
  }
}

TEST_CASE("The longest prompt has room, however little is free") {
  const MemoryBudget budget = divide_memory(kMiB, kSeventy, kBounds, 131'072);
  CHECK(budget.rows_per_pack == kFewestRowsPerPack);
  CHECK(budget.arena_rows == 131'072 + kSparePacks * kFewestRowsPerPack);
}

TEST_CASE("Long contexts take smaller packs and steps, since each row keeps many sums") {
  weights::DecoderConfig config;
  config.hidden_size = 4096;
  config.intermediate_size = 14'336;
  config.n_layers = 32;
  config.n_heads = 32;
  config.n_kv_heads = 8;
  config.head_dim = 128;
  config.vocab_size = 128'256;
  const MemoryNeeds needs = memory_needs(config, 2, 131'072 / 128, 256);
  CHECK(needs.cache_per_token == kEight.cache_per_token);
  // 1024 sums of 32 heads of 128 numbers, and their logs.
  CHECK(needs.activations_per_row - memory_needs(config, 2, 0, 0).activations_per_row ==
        1024UL * 32 * 129 * 4);
  CHECK(needs.fixed == 2UL * 256 * 128'256 * 6);
  const MemoryBudget budget = divide_memory(120 * kGiB, needs, kBounds, 131'072);
  CHECK(budget.rows_per_pack == 1024);
  CHECK(budget.rows_per_step == 512);
  CHECK(divide_memory(40 * kGiB, needs, kBounds, 131'072).rows_per_step == 256);
}

}  // namespace labelprobe::model
