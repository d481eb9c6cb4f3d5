// Rounding that compilers turn into vector instructions; c10's own asks for NaN first.
#pragma once

#include <bit>
#include <cstdint>

#include <c10/util/BFloat16.h>

namespace labelprobe::model {

// To the nearest, ties to even. A NaN stays one if its payload is in the upper half, as that of
// every NaN that arithmetic makes.
inline c10::BFloat16 round_to_bfloat16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
  return c10::BFloat16(static_cast<std::uint16_t>(rounded), c10::BFloat16::from_bits());
}

}  // namespace labelprobe::model
