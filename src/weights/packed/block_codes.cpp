// `d` scale and `m` minimum are float16; `qs` low bits, `qh` high bits.
#include "weights/packed/block_codes.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "labelprobe/core/error.h"

#include "weights/device/processor.h"
#include "weights/packed/block_reading.h"

namespace labelprobe::weights {
namespace {

LABELPROBE_PART inline void q8_0(Bytes block, const BlockParts& parts) {
  parts.scales[0] = half_at(block);
  std::memcpy(parts.codes, block + 2, 32);
}

LABELPROBE_PART inline void q4_0(Bytes block, const BlockParts& parts) {
  parts.scales[0] = half_at(block);
  split_halves(block + 2, 16, parts.codes);
  for (int i = 0; i < 32; ++i) parts.codes[i] = static_cast<std::int8_t>(parts.codes[i] - 8);
}

LABELPROBE_PART inline void q4_1(Bytes block, const BlockParts& parts) {
  parts.scales[0] = half_at(block);
  parts.offsets[0] = half_at(block + 2);
  split_halves(block + 4, 16, parts.codes);
}

// Adds the fifth bit of each of a block's elements, element i at bit i.
LABELPROBE_PART inline void add_fifth_bits(Bytes qh, std::int8_t* codes) {
  const std::uint32_t bits = u32_at(qh);
  for (int i = 0; i < 32; ++i) {
    codes[i] = static_cast<std::int8_t>(codes[i] | static_cast<int>((bits >> i) & 1U) << 4);
  }
}

LABELPROBE_PART inline void q5_0(Bytes block, const BlockParts& parts) {
  parts.scales[0] = half_at(block);
  split_halves(block + 6, 16, parts.codes);
  add_fifth_bits(block + 2, parts.codes);
  for (int i = 0; i < 32; ++i) parts.codes[i] = static_cast<std::int8_t>(parts.codes[i] - 16);
}

LABELPROBE_PART inline void q5_1(Bytes block, const BlockParts& parts) {
  parts.scales[0] = half_at(block);
  parts.offsets[0] = half_at(block + 2);
  split_halves(block + 8, 16, parts.codes);
  add_fifth_bits(block + 4, parts.codes);
}

// Elements of two bits, as Q2_K, Q3_K and TQ2_0 keep them: two halves of 32 bytes, each four runs
// of 32 elements.
LABELPROBE_PART inline void two_bits(Bytes qs, std::int8_t* codes) {
  for (int run = 0; run < 8; ++run) {
    const Bytes bytes = qs + 32 * (run / 4);
    const int shift = 2 * (run % 4);
    for (int i = 0; i < 32; ++i) {
      codes[32 * run + i] = static_cast<std::int8_t>((bytes[i] >> shift) & 3);
    }
  }
}

LABELPROBE_PART inline void q2_k(Bytes block, const BlockParts& parts) {
  const float d = half_at(block + 80);
  const float d_min = half_at(block + 82);
  for (int group = 0; group < 16; ++group) {
    parts.scales[group] = d * static_cast<float>(block[group] & 0x0F);
    parts.offsets[group] = -(d_min * static_cast<float>(block[group] >> 4));
  }
  two_bits(block + 16, parts.codes);
}

// Four is taken away where the element's bit of the mask is not set. Six-bit scales share twelve
// bytes: their low four bits in bytes 0 to 7, their high two in bytes 8 to 11.
LABELPROBE_PART inline void q3_k(Bytes block, const BlockParts& parts) {
  const Bytes scales = block + 96;
  const float d = half_at(block + 108);
  for (int group = 0; group < 16; ++group) {
    const int low = (scales[group % 8] >> (4 * (group / 8))) & 0x0F;
    const int high = (scales[8 + group % 4] >> (2 * (group / 4))) & 3;
    parts.scales[group] = d * static_cast<float>((low | high << 4) - 32);
  }
  two_bits(block + 32, parts.codes);
  for (int run = 0; run < 8; ++run) {
    std::int8_t* codes = parts.codes + 32 * run;
    for (int i = 0; i < 32; ++i) {
      codes[i] = static_cast<std::int8_t>(codes[i] - (((block[i] >> run) & 1) != 0 ? 0 : 4));
    }
  }
}

// Eight groups of 32. Six-bit scales and minima share twelve bytes: groups 0-3 whole in bytes 0-3
// and 4-7, groups 4-7 with their low four bits in bytes 8-11 and their high two on top of the
// former.
LABELPROBE_PART inline void scales_and_minima(Bytes block, const BlockParts& parts) {
  const float d = half_at(block);
  const float d_min = half_at(block + 2);
  const Bytes scales = block + 4;
  for (int group = 0; group < 8; ++group) {
    const int low = group % 4;
    const bool is_whole = group < 4;
    const int scale =
        is_whole ? scales[low] & 0x3F : (scales[low + 8] & 0x0F) | ((scales[low] >> 2) & 0x30);
    const int minimum = is_whole ? scales[low + 4] & 0x3F
                                 : (scales[low + 8] >> 4) | ((scales[low + 4] >> 2) & 0x30);
    parts.scales[group] = d * static_cast<float>(scale);
    parts.offsets[group] = -(d_min * static_cast<float>(minimum));
  }
}

LABELPROBE_PART inline void q4_k(Bytes block, const BlockParts& parts) {
  scales_and_minima(block, parts);
  for (int pair = 0; pair < 4; ++pair) {
    split_halves(block + 16 + 32 * pair, 32, parts.codes + 64 * pair);
  }
}

LABELPROBE_PART inline void q5_k(Bytes block, const BlockParts& parts) {
  scales_and_minima(block, parts);
  const Bytes qh = block + 16;
  for (int pair = 0; pair < 4; ++pair) {
    split_halves(block + 48 + 32 * pair, 32, parts.codes + 64 * pair);
  }
  for (int group = 0; group < 8; ++group) {
    std::int8_t* codes = parts.codes + 32 * group;
    for (int i = 0; i < 32; ++i) {
      codes[i] = static_cast<std::int8_t>(codes[i] | ((qh[i] >> group) & 1) << 4);
    }
  }
}

// Two halves of 128 elements in four runs of 32; one signed scale for 16 elements.
LABELPROBE_PART inline void q6_k(Bytes block, const BlockParts& parts) {
  const float d = half_at(block + 208);
  for (int group = 0; group < 16; ++group) {
    parts.scales[group] = d * static_cast<float>(static_cast<signed char>(block[192 + group]));
  }
  for (int run = 0; run < 8; ++run) {
    const Bytes low = block + 64 * (run / 4) + 32 * (run % 2);
    const Bytes high = block + 128 + 32 * (run / 4);
    const int low_shift = 4 * (run % 4 / 2);
    const int high_shift = 2 * (run % 4);
    std::int8_t* codes = parts.codes + 32 * run;
    for (int i = 0; i < 32; ++i) {
      const int low_bits = (low[i] >> low_shift) & 0x0F;
      const int high_bits = (high[i] >> high_shift) & 0x03;
      codes[i] = static_cast<std::int8_t>((low_bits | high_bits << 4) - 32);
    }
  }
}

// A byte's digits to the base of three, read as a fraction of 256: times a power of three, what is
// above the byte falls away, and the first digit is left.
LABELPROBE_PART inline void base_three(Bytes bytes, int n_bytes, int n_digits, std::int8_t* codes) {
  int power = 1;
  for (int digit = 0; digit < n_digits; ++digit) {
    for (int i = 0; i < n_bytes; ++i) {
      const int fraction = (bytes[i] * power) & 0xFF;
      codes[digit * n_bytes + i] = static_cast<std::int8_t>(((fraction * 3) >> 8) - 1);
    }
    power *= 3;
  }
}

LABELPROBE_PART inline void tq1_0(Bytes block, const BlockParts& parts) {
  std::fill_n(parts.scales, 8, half_at(block + 52));
  base_three(block, 32, 5, parts.codes);
  base_three(block + 32, 16, 5, parts.codes + 160);
  base_three(block + 48, 4, 4, parts.codes + 240);
}

LABELPROBE_PART inline void tq2_0(Bytes block, const BlockParts& parts) {
  std::fill_n(parts.scales, 8, half_at(block + 64));
  two_bits(block, parts.codes);
  for (int i = 0; i < 256; ++i) parts.codes[i] = static_cast<std::int8_t>(parts.codes[i] - 1);
}

constexpr std::int8_t kUnevenValues[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                           1,    13,   25,  38,  53,  69,  89,  113};

LABELPROBE_PART inline void iq4_nl(Bytes block, const BlockParts& parts) {
  parts.scales[0] = half_at(block);
  look_up_halves(block + 2, 16, kUnevenValues, parts.codes);
}

LABELPROBE_PART inline void iq4_xs(Bytes block, const BlockParts& parts) {
  const float d = half_at(block);
  const unsigned high = u16_at(block + 2);
  for (int group = 0; group < 8; ++group) {
    const int scale = nibble_at(block + 4, group) | static_cast<int>((high >> (2 * group)) & 3U)
                                                        << 4;
    parts.scales[group] = d * static_cast<float>(scale - 32);
    look_up_halves(block + 8 + 16 * group, 16, kUnevenValues, parts.codes + 32 * group);
  }
}

// Twice the values of E2M1, a number of four bits; scales are halved for it.
constexpr std::int8_t kDoubledE2m1[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

LABELPROBE_PART inline void mxfp4(Bytes block, const BlockParts& parts) {
  // Half of two to the power of the byte - 127; below that the number is subnormal.
  const std::uint32_t bits = block[0] < 2 ? 0x00200000U << block[0] : (block[0] - 1U) << 23;
  parts.scales[0] = std::bit_cast<float>(bits);
  look_up_halves(block + 1, 16, kDoubledE2m1, parts.codes);
}

// An unsigned number of four bits of exponent and three of mantissa.
float e4m3(unsigned byte) {
  if (byte == 0 || byte == 0x7F) return 0.0F;
  const int exponent = static_cast<int>((byte >> 3) & 0xFU);
  const auto mantissa = static_cast<float>(byte & 7U);
  return exponent == 0 ? std::ldexp(mantissa, -9) : std::ldexp(1.0F + mantissa / 8, exponent - 7);
}

LABELPROBE_PART inline void nvfp4(Bytes block, const BlockParts& parts) {
  for (int group = 0; group < 4; ++group) {
    parts.scales[group] = e4m3(block[group]) * 0.5F;
    look_up_halves(block + 4 + 8 * group, 8, kDoubledE2m1, parts.codes + 16 * group);
  }
}

struct CodedType {
  files::GgmlType type;
  GroupForm form;
};

using enum files::GgmlType;
constexpr std::array kCodedTypes = {
    CodedType{Q8_0, {32, false}},    CodedType{Q4_0, {32, false}},   CodedType{Q4_1, {32, true}},
    CodedType{Q5_0, {32, false}},    CodedType{Q5_1, {32, true}},    CodedType{Q2_K, {16, true}},
    CodedType{Q3_K, {16, false}},    CodedType{Q4_K, {32, true}},    CodedType{Q5_K, {32, true}},
    CodedType{Q6_K, {16, false}},    CodedType{IQ1_S, {32, false}},  CodedType{IQ1_M, {16, false}},
    CodedType{IQ2_XXS, {32, false}}, CodedType{IQ2_XS, {16, false}}, CodedType{IQ2_S, {16, false}},
    CodedType{IQ3_XXS, {32, false}}, CodedType{IQ3_S, {32, false}},  CodedType{IQ4_NL, {32, false}},
    CodedType{IQ4_XS, {32, false}},  CodedType{TQ1_0, {32, false}},  CodedType{TQ2_0, {32, false}},
    CodedType{MXFP4, {32, false}},   CodedType{NVFP4, {16, false}},
};

// Blocks one behind the other, and where their parts go.
struct Blocks {
  Bytes bytes;
  std::int64_t n_bytes;  // of each
  std::int64_t n_elements;
  std::int64_t n_groups;
  std::int64_t n_blocks;
  BlockParts parts;  // of the first
};

template <void (*kRead)(Bytes, const BlockParts&)>
LABELPROBE_PART inline void read_blocks(const Blocks& blocks) {
  for (std::int64_t i = 0; i < blocks.n_blocks; ++i) {
    kRead(blocks.bytes + i * blocks.n_bytes,
          {blocks.parts.codes + i * blocks.n_elements, blocks.parts.scales + i * blocks.n_groups,
           blocks.parts.offsets + i * blocks.n_groups});
  }
}

LABELPROBE_FOR_EACH_PROCESSOR
void read_all(files::GgmlType type, const Blocks& blocks) {
  switch (type) {
    case Q8_0:
      return read_blocks<q8_0>(blocks);
    case Q4_0:
      return read_blocks<q4_0>(blocks);
    case Q4_1:
      return read_blocks<q4_1>(blocks);
    case Q5_0:
      return read_blocks<q5_0>(blocks);
    case Q5_1:
      return read_blocks<q5_1>(blocks);
    case Q2_K:
      return read_blocks<q2_k>(blocks);
    case Q3_K:
      return read_blocks<q3_k>(blocks);
    case Q4_K:
      return read_blocks<q4_k>(blocks);
    case Q5_K:
      return read_blocks<q5_k>(blocks);
    case Q6_K:
      return read_blocks<q6_k>(blocks);
    case IQ1_S:
      return read_blocks<iq1_s>(blocks);
    case IQ1_M:
      return read_blocks<iq1_m>(blocks);
    case IQ2_XXS:
      return read_blocks<iq2_xxs>(blocks);
    case IQ2_XS:
      return read_blocks<iq2_xs>(blocks);
    case IQ2_S:
      return read_blocks<iq2_s>(blocks);
    case IQ3_XXS:
      return read_blocks<iq3_xxs>(blocks);
    case IQ3_S:
      return read_blocks<iq3_s>(blocks);
    case IQ4_NL:
      return read_blocks<iq4_nl>(blocks);
    case IQ4_XS:
      return read_blocks<iq4_xs>(blocks);
    case TQ1_0:
      return read_blocks<tq1_0>(blocks);
    case TQ2_0:
      return read_blocks<tq2_0>(blocks);
    case MXFP4:
      return read_blocks<mxfp4>(blocks);
    case NVFP4:
      return read_blocks<nvfp4>(blocks);
    case F32:
    case F16:
    case BF16:
    case F64:
      break;
  }
}

const CodedType* find_type(files::GgmlType type) {
  const auto found = std::find_if(kCodedTypes.begin(), kCodedTypes.end(),
                                  [&](const CodedType& one) { return one.type == type; });
  return found == kCodedTypes.end() ? nullptr : &*found;
}

}  // namespace

bool has_codes(files::GgmlType type) {
  return find_type(type) != nullptr;
}

GroupForm group_form(files::GgmlType type) {
  const CodedType* found = find_type(type);
  LABELPROBE_CHECK(found != nullptr);
  return found->form;
}

void unpack_codes(files::GgmlType type,
                  const std::byte* row,
                  std::int64_t n_elements,
                  const RowCodes& result) {
  const GroupForm form = group_form(type);
  const files::BlockLayout layout = *files::block_layout(type);
  LABELPROBE_CHECK(n_elements % layout.n_elements == 0);
  read_all(type, {reinterpret_cast<Bytes>(row),
                  layout.n_bytes,
                  layout.n_elements,
                  layout.n_elements / form.n_elements,
                  n_elements / layout.n_elements,
                  {result.codes, result.scales, result.offsets}});
}

}  // namespace labelprobe::weights
