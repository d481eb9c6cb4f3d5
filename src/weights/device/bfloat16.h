// bfloat16 by its bits, in ways that compilers turn into vector instructions; c10's own rounding
// asks for NaN first.
#pragma once

#include <bit>
#include <cstdint>

#include <c10/util/BFloat16.h>

#include "weights/device/processor.h"

namespace labelprobe::weights {

// The upper half of a float32.
LABELPROBE_PART inline float from_bfloat16_bits(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

// To the nearest, ties to even. A NaN stays one if its payload is in the upper half, as that of
// every NaN that arithmetic makes.
LABELPROBE_PART inline std::uint16_t to_bfloat16_bits(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

LABELPROBE_PART inline c10::BFloat16 round_to_bfloat16(float x) {
  return c10::BFloat16(to_bfloat16_bits(x), c10::BFloat16::from_bits());
}

}  // namespace labelprobe::weights
