// What the readers of blocks share. Layouts are those of ggml's block structs, written out as byte
// offsets.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "weights/device/processor.h"

namespace labelprobe::weights {

using Bytes = const unsigned char*;

// Where the parts of one block go.
struct BlockParts {
  std::int8_t* codes;
  float* scales;
  float* offsets;
};

LABELPROBE_PART inline std::uint16_t u16_at(Bytes bytes) {
  std::uint16_t number;
  std::memcpy(&number, bytes, sizeof number);
  return number;
}

LABELPROBE_PART inline std::uint32_t u32_at(Bytes bytes) {
  std::uint32_t number;
  std::memcpy(&number, bytes, sizeof number);
  return number;
}

// The number of a float16, by its bits. Without branches: the signs of a model's scales cannot be
// guessed. The exponent of 2^112 turns that of a float16 into that of a float32, of numbers below
// the normal ones too.
LABELPROBE_PART inline float half_value(std::uint32_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16;
  const float size = std::bit_cast<float>((half & 0x7FFFU) << 13) * 0x1p112F;
  const std::uint32_t not_finite = (half & 0x7C00U) == 0x7C00U ? 0x7F800000U : 0U;
  return std::bit_cast<float>(sign | not_finite | std::bit_cast<std::uint32_t>(size));
}

LABELPROBE_PART inline float half_at(Bytes bytes) {
  return half_value(u16_at(bytes));
}

// The 4 bits at `i` of a row of half bytes, the first in the lower half.
LABELPROBE_PART inline int nibble_at(Bytes bytes, int i) {
  return (bytes[i / 2] >> (4 * (i % 2))) & 0x0F;
}

// `n` bytes of two codes each, `n` a multiple of 8: those in the lower halves come before those in
// the upper ones. Eight at a time: compilers make worse of single bytes.
LABELPROBE_PART inline void split_halves(Bytes bytes, int n, std::int8_t* codes) {
  constexpr std::uint64_t kLower = 0x0F0F0F0F0F0F0F0F;
  for (int i = 0; i < n; i += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, bytes + i, sizeof eight);
    const std::uint64_t lower = eight & kLower;
    const std::uint64_t upper = (eight >> 4) & kLower;
    std::memcpy(codes + i, &lower, sizeof lower);
    std::memcpy(codes + i + n, &upper, sizeof upper);
  }
}

// The same, where a code is a place in a table.
LABELPROBE_PART inline void look_up_halves(Bytes bytes,
                                           int n,
                                           const std::int8_t* values,
                                           std::int8_t* codes) {
  for (int i = 0; i < n; ++i) {
    codes[i] = values[bytes[i] & 0x0F];
    codes[i + n] = values[bytes[i] >> 4];
  }
}

// Types whose elements are points of a grid (grid_blocks.cpp).
void iq1_s(Bytes block, const BlockParts& parts);
void iq1_m(Bytes block, const BlockParts& parts);
void iq2_xxs(Bytes block, const BlockParts& parts);
void iq2_xs(Bytes block, const BlockParts& parts);
void iq2_s(Bytes block, const BlockParts& parts);
void iq3_xxs(Bytes block, const BlockParts& parts);
void iq3_s(Bytes block, const BlockParts& parts);

}  // namespace labelprobe::weights
