// Rows of a matrix or numbers of a vector: what is loaded of a parameter where a process computes a
// part of a model only.
#pragma once

#include <cstdint>
#include <vector>

namespace labelprobe::weights {

struct RowRange {
  std::int64_t first = 0;
  std::int64_t n = 0;
  bool operator==(const RowRange&) const = default;
};

// One after the other; empty = all rows of the parameter.
using RowRanges = std::vector<RowRange>;

inline std::int64_t n_rows_of(const RowRanges& ranges) {
  std::int64_t n = 0;
  for (const RowRange& range : ranges) n += range.n;
  return n;
}

}  // namespace labelprobe::weights
