// What one block of threads attends to: rows of the queries, and keys of the arena.
#pragma once

#include <cstdint>

namespace labelprobe::model::cuda {

// Its keys are either a range of the arena, or, where first_run is not negative, runs of it: pairs
// of numbers (keys of the item before the run, its first row of the arena), of which the last is
// (kEndOfRuns, 0). Then each row sees as many keys as its part is said to see.
struct AttentionItem {
  std::int32_t first_row = 0;
  std::int32_t n_rows = 0;     // at most tile / query heads per key head
  std::int32_t first_key = 0;  // of a range
  std::int32_t n_keys = 0;
  std::int32_t diagonal = 0;    // of a range: row r sees arena rows up to r + diagonal
  std::int32_t first_part = 0;  // of first_row; the other rows' parts follow
  // Above 0: the item has as many keys more as steps were taken, from none to this many in all.
  std::int32_t capacity = 0;
  std::int32_t first_run = -1;
};

constexpr std::int32_t kEndOfRuns = 0x7fffffff;

// Queries (rows times query heads per key head) that one block takes.
constexpr int kWideTile = 64;
constexpr int kNarrowTile = 16;

}  // namespace labelprobe::model::cuda
