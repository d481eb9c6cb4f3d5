// Products on the CPU with weights that stay in the blocks of a GGUF file, by whole numbers.
// An element of such a weight is scale * code + offset with a code of 8 bits. The other factor is
// rounded, in each row and run of 32, to whole numbers of 24 bits with a scale of their own, which
// are multiplied digit by digit. The sums of a group of 16 or 32 codes are exact; they are scaled
// and added up in float32, in order: a row's numbers are the same bits in any company, with any
// number of threads and on any processor.
//   T  rows
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <ATen/core/Tensor.h>

#include "weights/packed/packed_weight.h"

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

// What becomes of a product.
enum class Into { Result, Sum };

// result [T, out], float32 and with its rows as far apart as they are, becomes x [T, in] times the
// weight [out, in], plus the bias [out] in float32; or that is added to it.
void multiply_packed(const RoundedRows& x,
                     const weights::PackedWeight& weight,
                     const std::optional<at::Tensor>& bias,
                     at::Tensor& result,
                     Into into = Into::Result);

// What multiplies here: "VNNI" or "any processor".
std::string_view packed_code();
// Whether that is faster than products of unpacked weights in float32.
bool is_packed_faster();

}  // namespace labelprobe::model
