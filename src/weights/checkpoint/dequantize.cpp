// Layouts after ggml's block structs (ggml-common.h), written out as byte offsets: `d` scale, `m`
// minimum, both float16; `qs` low bits, `qh` high bits.
#include "weights/checkpoint/dequantize.h"

#include <array>
#include <cmath>
#include <cstring>

#include <c10/util/Half.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::weights {
namespace {

struct KnownType {
  files::GgmlType type;
  BlockLayout layout;
};

constexpr std::array kKnownTypes = {
    KnownType{files::GgmlType::F32, {"F32", 1, 4}},
    KnownType{files::GgmlType::F16, {"F16", 1, 2}},
    KnownType{files::GgmlType::BF16, {"BF16", 1, 2}},
    KnownType{files::GgmlType::F64, {"F64", 1, 8}},
    KnownType{files::GgmlType::Q8_0, {"Q8_0", 32, 34}},
    KnownType{files::GgmlType::Q4_0, {"Q4_0", 32, 18}},
    KnownType{files::GgmlType::Q4_1, {"Q4_1", 32, 20}},
    KnownType{files::GgmlType::Q5_0, {"Q5_0", 32, 22}},
    KnownType{files::GgmlType::Q5_1, {"Q5_1", 32, 24}},
    KnownType{files::GgmlType::Q4_K, {"Q4_K", 256, 144}},
    KnownType{files::GgmlType::Q6_K, {"Q6_K", 256, 210}},
    KnownType{files::GgmlType::MXFP4, {"MXFP4", 32, 17}},
};

using Bytes = const unsigned char*;

float half_at(Bytes bytes) {
  std::uint16_t bits;
  std::memcpy(&bits, bytes, sizeof bits);
  return c10::detail::fp16_ieee_to_fp32_value(bits);
}

void q8_0(Bytes block, float* out) {
  const float d = half_at(block);
  for (int i = 0; i < 32; ++i) {
    out[i] = static_cast<float>(static_cast<signed char>(block[2 + i])) * d;
  }
}

void q4_0(Bytes block, float* out) {
  const float d = half_at(block);
  const Bytes qs = block + 2;
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>((qs[i] & 0x0F) - 8);
    out[i + 16] = d * static_cast<float>((qs[i] >> 4) - 8);
  }
}

void q4_1(Bytes block, float* out) {
  const float d = half_at(block);
  const float m = half_at(block + 2);
  const Bytes qs = block + 4;
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>(qs[i] & 0x0F) + m;
    out[i + 16] = d * static_cast<float>(qs[i] >> 4) + m;
  }
}

// The fifth bits of a block's elements, element i at bit i, moved to where they belong.
struct FifthBits {
  explicit FifthBits(Bytes qh) { std::memcpy(&bits, qh, sizeof bits); }
  int operator[](int i) const { return static_cast<int>((bits >> i) & 1U) << 4; }
  std::uint32_t bits;
};

void q5_0(Bytes block, float* out) {
  const float d = half_at(block);
  const FifthBits high(block + 2);
  const Bytes qs = block + 6;
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>(((qs[i] & 0x0F) | high[i]) - 16);
    out[i + 16] = d * static_cast<float>(((qs[i] >> 4) | high[i + 16]) - 16);
  }
}

void q5_1(Bytes block, float* out) {
  const float d = half_at(block);
  const float m = half_at(block + 2);
  const FifthBits high(block + 4);
  const Bytes qs = block + 8;
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>((qs[i] & 0x0F) | high[i]) + m;
    out[i + 16] = d * static_cast<float>((qs[i] >> 4) | high[i + 16]) + m;
  }
}

// Eight groups of 32. Six-bit scales and minima share twelve bytes: groups 0-3 whole in bytes 0-3
// and 4-7, groups 4-7 with their low four bits in bytes 8-11 and their high two on top of the
// former.
void q4_k(Bytes block, float* out) {
  const float d = half_at(block);
  const float d_min = half_at(block + 2);
  const Bytes scales = block + 4;
  const Bytes qs = block + 16;
  for (int group = 0; group < 8; ++group) {
    const int low = group % 4;
    const bool is_whole = group < 4;
    const int scale =
        is_whole ? scales[low] & 0x3F : (scales[low + 8] & 0x0F) | ((scales[low] >> 2) & 0x30);
    const int minimum = is_whole ? scales[low + 4] & 0x3F
                                 : (scales[low + 8] >> 4) | ((scales[low + 4] >> 2) & 0x30);
    const float group_d = d * static_cast<float>(scale);
    const float group_min = d_min * static_cast<float>(minimum);
    const int shift = 4 * (group % 2);
    for (int i = 0; i < 32; ++i) {
      const int q = (qs[32 * (group / 2) + i] >> shift) & 0x0F;
      out[32 * group + i] = group_d * static_cast<float>(q) - group_min;
    }
  }
}

// Two halves of 128 elements in four runs of 32; one signed scale for 16 elements.
void q6_k(Bytes block, float* out) {
  const Bytes scales = block + 192;
  const float d = half_at(block + 208);
  for (int half = 0; half < 2; ++half) {
    const Bytes low = block + 64 * half;
    const Bytes high = block + 128 + 32 * half;
    for (int run = 0; run < 4; ++run) {
      for (int i = 0; i < 32; ++i) {
        const int index = 128 * half + 32 * run + i;
        const int low_bits = (low[32 * (run % 2) + i] >> (4 * (run / 2))) & 0x0F;
        const int high_bits = (high[i] >> (2 * run)) & 0x03;
        const float scale = d * static_cast<float>(static_cast<signed char>(scales[index / 16]));
        out[index] = scale * static_cast<float>((low_bits | (high_bits << 4)) - 32);
      }
    }
  }
}

// The values of a code's four bits.
constexpr std::array<float, 16> kMxfp4Numbers = {0.0F,  0.5F,  1.0F,  1.5F,  2.0F,  3.0F,
                                                 4.0F,  6.0F,  -0.0F, -0.5F, -1.0F, -1.5F,
                                                 -2.0F, -3.0F, -4.0F, -6.0F};

// The scale is a power of two.
float mxfp4_scale(unsigned char exponent) {
  return std::ldexp(1.0F, static_cast<int>(exponent) - 127);
}

void mxfp4(Bytes block, float* out) {
  const float d = mxfp4_scale(block[0]);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * kMxfp4Numbers[block[1 + i] & 0x0F];
    out[i + 16] = d * kMxfp4Numbers[block[1 + i] >> 4];
  }
}

template <void (*Block)(Bytes, float*)>
void each_block(const BlockLayout& layout, Bytes row, std::int64_t n_elements, float* out) {
  for (std::int64_t done = 0; done < n_elements; done += layout.n_elements) {
    Block(row, out + done);
    row += layout.n_bytes;
  }
}

}  // namespace

std::optional<BlockLayout> block_layout(files::GgmlType type) {
  for (const KnownType& known : kKnownTypes) {
    if (known.type == type) {
      return known.layout;
    }
  }
  return std::nullopt;
}

std::string type_name(std::uint32_t type) {
  const auto layout = block_layout(static_cast<files::GgmlType>(type));
  return layout ? layout->name : fmt::format("ggml type {}", type);
}

std::string known_type_names() {
  std::string names;
  for (const KnownType& known : kKnownTypes) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", known.layout.name);
  }
  return names;
}

void dequantize_row(files::GgmlType type,
                    const std::byte* row,
                    std::int64_t n_elements,
                    float* out) {
  const auto layout = block_layout(type);
  LABELPROBE_CHECK(layout && n_elements % layout->n_elements == 0);
  const auto bytes = reinterpret_cast<Bytes>(row);
  switch (type) {
    case files::GgmlType::Q8_0:
      return each_block<q8_0>(*layout, bytes, n_elements, out);
    case files::GgmlType::Q4_0:
      return each_block<q4_0>(*layout, bytes, n_elements, out);
    case files::GgmlType::Q4_1:
      return each_block<q4_1>(*layout, bytes, n_elements, out);
    case files::GgmlType::Q5_0:
      return each_block<q5_0>(*layout, bytes, n_elements, out);
    case files::GgmlType::Q5_1:
      return each_block<q5_1>(*layout, bytes, n_elements, out);
    case files::GgmlType::Q4_K:
      return each_block<q4_k>(*layout, bytes, n_elements, out);
    case files::GgmlType::Q6_K:
      return each_block<q6_k>(*layout, bytes, n_elements, out);
    case files::GgmlType::MXFP4:
      return each_block<mxfp4>(*layout, bytes, n_elements, out);
    default:
      LABELPROBE_CHECK(!"plain types are copied, not dequantised");
  }
}

void dequantize_mxfp4(const std::byte* codes,
                      const std::byte* scales,
                      std::int64_t n_elements,
                      float* out) {
  constexpr std::int64_t kPerScale = 32;
  LABELPROBE_CHECK(n_elements % kPerScale == 0);
  for (std::int64_t i = 0; i < n_elements; i += 2) {
    const float d = mxfp4_scale(static_cast<unsigned char>(scales[i / kPerScale]));
    const auto pair = static_cast<unsigned char>(codes[i / 2]);
    out[i] = d * kMxfp4Numbers[pair & 0x0F];
    out[i + 1] = d * kMxfp4Numbers[pair >> 4];
  }
}

}  // namespace labelprobe::weights
