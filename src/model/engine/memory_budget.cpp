#include "model/engine/memory_budget.h"

#include <algorithm>

namespace labelprobe::model {

MemoryNeeds memory_needs(const weights::DecoderConfig& config, std::size_t n_bytes) {
  const auto n_heads = static_cast<std::size_t>(config.n_heads + 2 * config.n_kv_heads);
  const auto head_dim = static_cast<std::size_t>(config.head_dim);
  MemoryNeeds needs;
  needs.cache_per_token = static_cast<std::size_t>(config.n_layers) * 2 *
                          static_cast<std::size_t>(config.n_kv_heads) * head_dim * n_bytes;
  // In the products with the wide matrices a result stands beside what it is made of.
  needs.activations_per_row =
      (3 * static_cast<std::size_t>(config.hidden_size) + 2 * n_heads * head_dim +
       5 * static_cast<std::size_t>(config.intermediate_size)) *
      n_bytes;
  return needs;
}

MemoryBudget divide_memory(std::size_t n_free,
                           const MemoryNeeds& needs,
                           int rows_per_pack,
                           std::size_t n_most_arena,
                           std::int64_t n_longest) {
  const std::size_t n_arena = n_free > 0 ? std::min(n_most_arena, n_free / 2) : n_most_arena;
  const auto fits = [&](int n_rows) {
    const auto n = static_cast<std::size_t>(n_rows);
    return kSparePacks * n * needs.cache_per_token <= n_arena / 4 &&
           (n_free == 0 || n * needs.activations_per_row <= n_free / 4);
  };
  MemoryBudget budget;
  budget.rows_per_pack = rows_per_pack;
  while (budget.rows_per_pack > kFewestRowsPerPack && !fits(budget.rows_per_pack)) {
    budget.rows_per_pack = std::max(kFewestRowsPerPack, budget.rows_per_pack / 2);
  }
  budget.arena_rows = std::max(static_cast<std::int64_t>(n_arena / needs.cache_per_token),
                               n_longest + kSparePacks * budget.rows_per_pack);
  return budget;
}

}  // namespace labelprobe::model
