// Rows of numbers as whole numbers of 24 bits, in the order in which packed_product.cpp multiplies
// them.
//   T  rows
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace labelprobe::model {

// A matrix [T, width] as whole numbers. A run that holds a number which is not finite is not a
// number in all products; one whose numbers are all below 1e-30 counts as zeros.
// Rows that are multiplied together lie together, kTileRows of them in a tile. Tiles follow one
// another, with all runs of their rows; the last one may have rows that hold nothing of meaning.
struct RoundedRows {
  static constexpr std::int64_t kRun = 32;  // numbers that share a scale
  static constexpr std::int64_t kTileRows = 8;
  static constexpr std::int64_t kDigits = 3;
  static constexpr std::int64_t kSums = 3;

  // x [T, width], of any floating type; width: a multiple of kRun, as every packed weight's is.
  explicit RoundedRows(const at::Tensor& x);

  std::int64_t n_rows;
  std::int64_t width;
  // A number is 2^16 high + 2^8 middle + low - 2^23, all from 0 to 255.
  at::Tensor digits;  // [tiles, runs, kTileRows, kDigits, kRun], uint8
  at::Tensor scales;  // [tiles, runs, kTileRows], float32
  // What a run's two halves add up to, and all of it: [tiles, runs, kSums, kTileRows], float32.
  at::Tensor sums;
};

}  // namespace labelprobe::model
