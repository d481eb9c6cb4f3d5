#include "model/engine/memory_budget.h"

#include <algorithm>

namespace labelprobe::model {

MemoryNeeds memory_needs(const weights::DecoderConfig& config,
                         std::size_t n_bytes,
                         std::int64_t n_parts,
                         std::int64_t n_head_rows) {
  const auto n_heads = static_cast<std::size_t>(config.n_heads + 2 * config.n_kv_heads);
  const auto head_dim = static_cast<std::size_t>(config.head_dim);
  MemoryNeeds needs;
  needs.cache_per_token = static_cast<std::size_t>(config.n_layers) * 2 *
                          static_cast<std::size_t>(config.n_kv_heads) * head_dim * n_bytes;
  // In the products with the wide matrices a result stands beside what it is made of.
  needs.activations_per_row =
      (3 * static_cast<std::size_t>(config.hidden_size) + 2 * n_heads * head_dim +
       5 * static_cast<std::size_t>(config.intermediate_size)) *
          n_bytes +
      static_cast<std::size_t>(n_parts * config.n_heads) * (head_dim + 1) * sizeof(float);
  // As they are multiplied and widened, and once more in the recording of a step.
  needs.fixed = 2 * static_cast<std::size_t>(n_head_rows) *
                static_cast<std::size_t>(config.vocab_size) *
                (sizeof(float) + (n_bytes < sizeof(float) ? n_bytes : 0));
  return needs;
}

MemoryBudget divide_memory(std::size_t n_free,
                           const MemoryNeeds& needs,
                           const MemoryBounds& bounds,
                           std::int64_t n_longest) {
  // At least a quarter, or a chunk would have no room where the rest may still do.
  n_free = std::max(n_free / 4, n_free - std::min(n_free, needs.fixed));
  const std::size_t n_arena =
      n_free > 0 ? std::min(bounds.arena_bytes, n_free / 2) : bounds.arena_bytes;
  const auto activations_fit = [&](int n_rows, std::size_t n_bytes) {
    return n_free == 0 || static_cast<std::size_t>(n_rows) * needs.activations_per_row <= n_bytes;
  };
  const auto pack_fits = [&](int n_rows) {
    const std::size_t n_spare = kSparePacks * static_cast<std::size_t>(n_rows);
    return n_spare * needs.cache_per_token <= n_arena / 4 && activations_fit(n_rows, n_free / 4);
  };
  MemoryBudget budget;
  budget.rows_per_pack = bounds.rows_per_pack;
  while (budget.rows_per_pack > kFewestRowsPerPack && !pack_fits(budget.rows_per_pack)) {
    budget.rows_per_pack = std::max(kFewestRowsPerPack, budget.rows_per_pack / 2);
  }
  budget.rows_per_step = bounds.rows_per_step;
  while (budget.rows_per_step > 1 && !activations_fit(budget.rows_per_step, n_free / 8)) {
    budget.rows_per_step /= 2;
  }
  budget.arena_rows = std::max(static_cast<std::int64_t>(n_arena / needs.cache_per_token),
                               n_longest + kSparePacks * budget.rows_per_pack);
  return budget;
}

}  // namespace labelprobe::model
