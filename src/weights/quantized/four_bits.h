// The 4-bit codes of bitsandbytes: what a block of elements becomes, and what it was.
// Knows neither matrices nor threads; quantized_weight.cpp does.
// Shares halfway between two values become what bitsandbytes makes of them on the CPU: the lesser
// value. Its CUDA kernels compare FP4 magnitudes with rounded decimals (0.583333 for 7/12) and
// divide approximately (--use_fast_math), so that 6 in 10,000 bfloat16 weights become a
// neighbouring value there, and other ones where the reciprocal is off by a last bit. NF4's bounds
// are no ties of bfloat16 or float16 weights: its codes are the same.
#pragma once

#include <array>
#include <cstdint>

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include "labelprobe/weights/precision.h"

namespace labelprobe::weights {

// Elements that share an absmax. A code is half a byte, so a block is 32 bytes.
constexpr std::int64_t kFourBitBlock = 64;

struct FourBitCode {
  std::array<float, 16> values;  // what each code means, as a share of the block's absmax
  // The code of a share x is code_by_rank[number of bounds below x].
  std::array<float, 15> bounds;
  std::array<std::uint8_t, 16> code_by_rank;
};

// The code of Fp4, Nf4 or Nf4Double.
const FourBitCode& four_bit_code(Quantization quantization);

// Quantises `n` <= kFourBitBlock elements: one block, or the end of a matrix.
// Writes its absmax and (n + 1) / 2 bytes, the earlier element of a byte in the high nibble.
void quantize_block(
    const FourBitCode& code, const float* x, std::int64_t n, float* absmax, std::uint8_t* packed);

// The `n_blocks` whole blocks at `packed`, each code's share times the block's absmax in float32
// and then rounded to Real (float, c10::BFloat16 or c10::Half).
template <typename Real>
void dequantize_blocks(const FourBitCode& code,
                       const std::uint8_t* packed,
                       const float* absmax,
                       std::int64_t n_blocks,
                       Real* result);

// The first `n` < kFourBitBlock elements from `first` on of one block.
template <typename Real>
void dequantize_part(const FourBitCode& code,
                     const std::uint8_t* packed,
                     float absmax,
                     std::int64_t first,
                     std::int64_t n,
                     Real* result);

}  // namespace labelprobe::weights
