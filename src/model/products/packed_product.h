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
#include <vector>

#include <ATen/core/Tensor.h>

#include "weights/packed/packed_weight.h"

namespace labelprobe::model {

// What groups of numbers add up to.
struct RunSums {
  std::vector<float> sums;         // scaled
  std::vector<std::int32_t> high;  // -128 times the sum of the high digits
  std::vector<std::int32_t> low;   // -128 times that of 2^8 middle + low
};

// A matrix [T, width] as whole numbers. A run that holds a number which is not finite is not a
// number in all products; one whose numbers are all below 1e-30 counts as zeros.
struct RoundedRows {
  static constexpr std::int64_t kRun = 32;  // numbers that share a scale

  // x [T, width], of any floating type; width: a multiple of kRun, as every packed weight's is.
  explicit RoundedRows(const at::Tensor& x);

  std::int64_t n_rows;
  std::int64_t width;
  // A number is 2^16 high + 2^8 middle + low, with -127 <= high <= 127 and -128 <= others < 128.
  // [3, T, width]: all high digits, all middle ones, all low ones.
  std::vector<std::int8_t> digits;
  std::vector<float> scales;  // [T, width / 32]
  RunSums runs;               // of the runs, [T, width / 32]
  RunSums halves;             // of their halves, [T, width / 16]

  const std::int8_t* digits_of(int digit) const { return digits.data() + digit * n_rows * width; }
};

// result [T, out], float32 and with its rows as far apart as they are, = x [T, in] times the weight
// [out, in], plus the bias [out] in float32.
void multiply_packed(const RoundedRows& x,
                     const weights::PackedWeight& weight,
                     const std::optional<at::Tensor>& bias,
                     at::Tensor& result);

// What multiplies here: "VNNI" or "any processor".
std::string_view packed_code();

}  // namespace labelprobe::model
