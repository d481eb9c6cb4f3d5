// Which rows of a forward pass see which keys.
#pragma once

#include <cstdint>

namespace labelprobe::model {

enum class Mask {
  None,
  Causal,  // row first_row + i sees keys first_key to first_key + i
};

// Consecutive rows of the arena, which hold consecutive positions of a text.
struct KeySpan {
  std::int64_t first_key = 0;
  std::int64_t n_keys = 0;
  std::int64_t first_position = 0;
};

// Consecutive rows of the arena, which hold consecutive positions of a text, and the query rows
// that see them.
struct KeySegment {
  std::int64_t first_key = 0;
  std::int64_t n_keys = 0;
  std::int64_t first_row = 0;
  std::int64_t end_row = 0;
  Mask mask = Mask::None;
  std::int64_t first_position = 0;
  std::int64_t n_more = 0;  // keys that further steps add, one each
};

}  // namespace labelprobe::model
