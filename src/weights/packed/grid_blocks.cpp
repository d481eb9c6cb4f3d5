// GGUF's types whose elements are points of a grid: a number of a block says which point, further
// bits the signs. `d` scale, float16; `qs` the lower bits of the points' numbers, `qh` the upper.
#include <cstddef>

#include "weights/packed/block_reading.h"
#include "weights/packed/grids.h"

namespace labelprobe::weights {
namespace {

// Points of eight elements, two bits each.
void put_eight(std::uint16_t point, const std::int8_t (&values)[4], std::int8_t* codes) {
  for (int i = 0; i < 8; ++i) codes[i] = values[(point >> (2 * i)) & 3];
}

// Points of four elements, three bits each.
void put_four(std::uint16_t point, const std::int8_t (&values)[8], std::int8_t* codes) {
  for (int i = 0; i < 4; ++i) codes[i] = values[(point >> (3 * i)) & 7];
}

void negate(std::uint32_t signs, std::int8_t* codes) {
  for (int i = 0; i < 8; ++i) {
    if ((signs >> i) & 1U) codes[i] = static_cast<std::int8_t>(-codes[i]);
  }
}

// Seven signs; the eighth makes the number of negative ones even.
std::uint32_t even_signs(std::uint32_t seven) {
  return seven | static_cast<std::uint32_t>(std::popcount(seven) % 2) << 7;
}

constexpr std::int8_t kTwoBits[4] = {8, 25, 43, 0};
constexpr std::int8_t kThreeBits[8] = {4, 12, 20, 28, 36, 44, 52, 62};
constexpr std::int8_t kOddThreeBits[8] = {1, 3, 5, 7, 9, 11, 13, 15};

// Elements are -1, 0 or 1, plus or minus an eighth: codes are eighths.
void put_eighths(std::uint16_t point, bool is_minus, std::int8_t* codes) {
  constexpr std::int8_t kValues[4] = {-8, 0, 8, 0};
  put_eight(point, kValues, codes);
  for (int i = 0; i < 8; ++i) codes[i] = static_cast<std::int8_t>(codes[i] + (is_minus ? -1 : 1));
}

}  // namespace

void iq2_xxs(Bytes block, const BlockParts& parts) {
  const float d = half_at(block);
  for (int group = 0; group < 8; ++group) {
    const Bytes qs = block + 2 + 8 * group;
    const std::uint32_t rest = u32_at(qs + 4);
    parts.scales[group] = d * (0.5F + static_cast<float>(rest >> 28)) * 0.25F;
    for (int k = 0; k < 4; ++k) {
      std::int8_t* codes = parts.codes + 32 * group + 8 * k;
      put_eight(kIq2XxsGrid[qs[k]], kTwoBits, codes);
      negate(even_signs((rest >> (7 * k)) & 0x7F), codes);
    }
  }
}

void iq2_xs(Bytes block, const BlockParts& parts) {
  const float d = half_at(block);
  const Bytes scales = block + 66;
  for (int group = 0; group < 16; ++group) {
    const auto scale = static_cast<float>(nibble_at(scales, group));
    parts.scales[group] = d * (0.5F + scale) * 0.25F;
    for (int k = 0; k < 2; ++k) {
      const std::uint16_t q = u16_at(block + 2 + 2 * (2 * group + k));
      std::int8_t* codes = parts.codes + 16 * group + 8 * k;
      put_eight(kIq2XsGrid[q & 511U], kTwoBits, codes);
      negate(even_signs(q >> 9), codes);
    }
  }
}

void iq2_s(Bytes block, const BlockParts& parts) {
  const float d = half_at(block);
  const Bytes qs = block + 2;
  const Bytes signs = block + 34;
  const Bytes qh = block + 66;
  const Bytes scales = block + 74;
  for (int group = 0; group < 16; ++group) {
    const auto scale = static_cast<float>(nibble_at(scales, group));
    parts.scales[group] = d * (0.5F + scale) * 0.25F;
  }
  for (int k = 0; k < 32; ++k) {
    const std::size_t point = qs[k] | ((qh[k / 4] >> (2 * (k % 4))) & 3U) << 8;
    put_eight(kIq2SGrid[point], kTwoBits, parts.codes + 8 * k);
    negate(signs[k], parts.codes + 8 * k);
  }
}

void iq3_xxs(Bytes block, const BlockParts& parts) {
  const float d = half_at(block);
  for (int group = 0; group < 8; ++group) {
    const Bytes qs = block + 2 + 8 * group;
    const std::uint32_t rest = u32_at(block + 66 + 4 * group);
    parts.scales[group] = d * (0.5F + static_cast<float>(rest >> 28)) * 0.5F;
    for (int k = 0; k < 4; ++k) {
      std::int8_t* codes = parts.codes + 32 * group + 8 * k;
      put_four(kIq3XxsGrid[qs[2 * k]], kThreeBits, codes);
      put_four(kIq3XxsGrid[qs[2 * k + 1]], kThreeBits, codes + 4);
      negate(even_signs((rest >> (7 * k)) & 0x7F), codes);
    }
  }
}

void iq3_s(Bytes block, const BlockParts& parts) {
  const float d = half_at(block);
  const Bytes qs = block + 2;
  const Bytes qh = block + 66;
  const Bytes signs = block + 74;
  const Bytes scales = block + 106;
  for (int group = 0; group < 8; ++group) {
    parts.scales[group] = d * static_cast<float>(1 + 2 * nibble_at(scales, group));
  }
  for (int k = 0; k < 64; ++k) {
    const std::size_t point = qs[k] | ((qh[k / 8] >> (k % 8)) & 1U) << 8;
    put_four(kIq3SGrid[point], kOddThreeBits, parts.codes + 4 * k);
  }
  for (int k = 0; k < 32; ++k) negate(signs[k], parts.codes + 8 * k);
}

void iq1_s(Bytes block, const BlockParts& parts) {
  const float d = half_at(block);
  const Bytes qs = block + 2;
  for (int group = 0; group < 8; ++group) {
    const unsigned qh = u16_at(block + 34 + 2 * group);
    parts.scales[group] = d * static_cast<float>(2 * ((qh >> 12) & 7U) + 1) * 0.125F;
    for (int k = 0; k < 4; ++k) {
      const std::size_t point = qs[4 * group + k] | ((qh >> (3 * k)) & 7U) << 8;
      put_eighths(kIq1Grid[point], (qh & 0x8000U) != 0, parts.codes + 32 * group + 8 * k);
    }
  }
}

// The scale's sixteen bits lie in the upper four of each of the groups' scales.
void iq1_m(Bytes block, const BlockParts& parts) {
  const Bytes qs = block;
  const Bytes qh = block + 32;
  const Bytes scales = block + 48;
  unsigned bits = 0;
  for (int i = 0; i < 4; ++i) bits |= (u16_at(scales + 2 * i) & 0xF000U) >> (12 - 4 * i);
  const float d = half_value(bits);
  for (int group = 0; group < 16; ++group) {
    const unsigned scale = (u16_at(scales + 2 * (group / 4)) >> (3 * (group % 4))) & 7U;
    parts.scales[group] = d * static_cast<float>(2 * scale + 1) * 0.125F;
  }
  for (int k = 0; k < 32; ++k) {
    const auto high = static_cast<unsigned>(nibble_at(qh, k));
    const std::size_t point = qs[k] | (high & 7U) << 8;
    put_eighths(kIq1Grid[point], (high & 8U) != 0, parts.codes + 8 * k);
  }
}

}  // namespace labelprobe::weights
