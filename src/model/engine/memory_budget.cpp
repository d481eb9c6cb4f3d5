#include "model/engine/memory_budget.h"

#include <algorithm>

namespace labelprobe::model {

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
  budget.arena_rows =
      std::max(static_cast<std::int64_t>(n_arena / needs.cache_per_token),
               n_longest + kSparePacks * budget.rows_per_pack);
  return budget;
}

}  // namespace labelprobe::model
