// What one block of threads attends to: rows of the queries, and a range of the key arena.
#pragma once

#include <cstdint>

namespace labelprobe::model::cuda {

struct AttentionItem {
  std::int32_t first_row = 0;
  std::int32_t n_rows = 0;  // at most tile / query heads per key head
  std::int32_t first_key = 0;
  std::int32_t n_keys = 0;
  std::int32_t diagonal = 0;    // row r sees arena rows up to r + diagonal
  std::int32_t first_part = 0;  // of first_row; the other rows' parts follow
  // Above 0: the item has as many keys more as steps were taken, from none to this many in all.
  std::int32_t capacity = 0;
  std::int32_t unused = 0;
};

// Queries (rows times query heads per key head) that one block takes.
constexpr int kWideTile = 64;
constexpr int kNarrowTile = 16;

}  // namespace labelprobe::model::cuda
