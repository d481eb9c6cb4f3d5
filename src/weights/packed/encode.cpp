#include "weights/packed/encode.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include "labelprobe/core/error.h"

namespace labelprobe::weights {
namespace {

using files::GgmlType;

template <class Number>
void put(std::byte* to, Number number) {
  std::memcpy(to, &number, sizeof number);
}

// Writes a scale and returns it as readers will see it.
float put_half(std::byte* to, float scale) {
  const c10::Half half(scale);
  put(to, half);
  return static_cast<float>(half);
}

float inverse(float scale) {
  return scale != 0.0F ? 1.0F / scale : 0.0F;
}

std::uint8_t rounded(float number, int most) {
  return static_cast<std::uint8_t>(std::clamp(static_cast<int>(std::lround(number)), 0, most));
}

template <class Number>
void encode_plain(std::span<const float> numbers, std::byte* blocks) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    put(blocks + i * sizeof(Number), static_cast<Number>(numbers[i]));
  }
}

// Q8_0 and Q4_0 in the steps of the gguf package, byte for byte.
void encode_q8_0(const float* x, std::byte* block) {
  float largest = 0.0F;
  for (int i = 0; i < 32; ++i) largest = std::max(largest, std::fabs(x[i]));
  const float scale = largest / 127.0F;
  put_half(block, scale);
  for (int i = 0; i < 32; ++i) {
    put(block + 2 + i, static_cast<std::int8_t>(std::lround(x[i] * inverse(scale))));
  }
}

// The number that is farthest from zero is code 0, which stands for -8 times the scale.
void encode_q4_0(const float* x, std::byte* block) {
  float farthest = 0.0F;
  for (int i = 0; i < 32; ++i) {
    if (std::fabs(x[i]) > std::fabs(farthest)) farthest = x[i];
  }
  const float scale = farthest / -8.0F;
  put_half(block, scale);
  const auto code = [factor = inverse(scale)](float number) {
    return static_cast<std::uint8_t>(std::min(15.0F, number * factor + 8.5F));
  };
  for (int i = 0; i < 16; ++i) {
    const std::uint8_t low = code(x[i]);
    const std::uint8_t high = code(x[i + 16]);
    put(block + 2 + i, static_cast<std::uint8_t>(low | high << 4));
  }
}

// Eight groups of 32 numbers, each scale * code - offset; scales and offsets are 6-bit multiples of
// the block's two.
void encode_q4_k(const float* x, std::byte* block) {
  constexpr int kGroups = 8;
  constexpr int kSize = 32;
  constexpr int kMost = 63;
  std::array<float, kGroups> scales{};
  std::array<float, kGroups> offsets{};
  for (int g = 0; g < kGroups; ++g) {
    const auto [low, high] = std::minmax_element(x + g * kSize, x + (g + 1) * kSize);
    offsets[g] = std::max(0.0F, -*low);
    scales[g] = (std::max(0.0F, *high) + offsets[g]) / 15.0F;
  }
  const float scale = put_half(block, *std::max_element(scales.begin(), scales.end()) / kMost);
  const float offset =
      put_half(block + 2, *std::max_element(offsets.begin(), offsets.end()) / kMost);
  std::array<std::uint8_t, kGroups> scale_codes{};
  std::array<std::uint8_t, kGroups> offset_codes{};
  std::array<std::uint8_t, 12> packed{};
  for (int g = 0; g < kGroups; ++g) {
    scale_codes[g] = rounded(scales[g] * inverse(scale), kMost);
    offset_codes[g] = rounded(offsets[g] * inverse(offset), kMost);
    const int at = g % 4;
    if (g < 4) {
      packed[at] |= scale_codes[g];
      packed[at + 4] |= offset_codes[g];
    } else {
      packed[at] |= static_cast<std::uint8_t>(scale_codes[g] >> 4 << 6);
      packed[at + 4] |= static_cast<std::uint8_t>(offset_codes[g] >> 4 << 6);
      packed[at + 8] = static_cast<std::uint8_t>((scale_codes[g] & 15) | offset_codes[g] << 4);
    }
  }
  std::memcpy(block + 4, packed.data(), packed.size());
  std::array<std::uint8_t, kGroups * kSize> codes{};
  for (int g = 0; g < kGroups; ++g) {
    const float factor = inverse(scale * static_cast<float>(scale_codes[g]));
    const float added = offset * static_cast<float>(offset_codes[g]);
    for (int i = 0; i < kSize; ++i) {
      codes[g * kSize + i] = rounded((x[g * kSize + i] + added) * factor, 15);
    }
  }
  for (int pair = 0; pair < kGroups / 2; ++pair) {
    const std::uint8_t* low = codes.data() + 2 * pair * kSize;
    for (int i = 0; i < kSize; ++i) {
      put(block + 16 + pair * kSize + i, static_cast<std::uint8_t>(low[i] | low[i + kSize] << 4));
    }
  }
}

template <void (*kEncode)(const float*, std::byte*)>
void encode_blocks(GgmlType type, std::span<const float> numbers, std::byte* blocks) {
  const files::BlockLayout layout = *files::block_layout(type);
  const auto n = static_cast<std::size_t>(layout.n_elements);
  LABELPROBE_CHECK(numbers.size() % n == 0);
  for (std::size_t first = 0; first < numbers.size(); first += n, blocks += layout.n_bytes) {
    kEncode(numbers.data() + first, blocks);
  }
}

}  // namespace

bool can_encode(GgmlType type) {
  return type == GgmlType::F32 || type == GgmlType::F16 || type == GgmlType::BF16 ||
         type == GgmlType::Q4_0 || type == GgmlType::Q8_0 || type == GgmlType::Q4_K;
}

void encode_row(GgmlType type, std::span<const float> numbers, std::byte* blocks) {
  LABELPROBE_CHECK(can_encode(type));
  switch (type) {
    case GgmlType::F16:
      return encode_plain<c10::Half>(numbers, blocks);
    case GgmlType::BF16:
      return encode_plain<c10::BFloat16>(numbers, blocks);
    case GgmlType::Q4_0:
      return encode_blocks<encode_q4_0>(type, numbers, blocks);
    case GgmlType::Q8_0:
      return encode_blocks<encode_q8_0>(type, numbers, blocks);
    case GgmlType::Q4_K:
      return encode_blocks<encode_q4_k>(type, numbers, blocks);
    default:
      return encode_plain<float>(numbers, blocks);
  }
}

}  // namespace labelprobe::weights
