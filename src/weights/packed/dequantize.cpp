// From codes to numbers.
#include <algorithm>
#include <array>
#include <cmath>

#include "labelprobe/core/error.h"

#include "weights/device/processor.h"
#include "weights/packed/block_codes.h"

namespace labelprobe::weights {
namespace {

// As many elements as `n_groups` have.
LABELPROBE_FOR_EACH_PROCESSOR
void numbers_of(const RowCodes& parts,
                std::int64_t n_groups,
                int n_per_group,
                bool has_offsets,
                float* result) {
  for (std::int64_t group = 0; group < n_groups; ++group) {
    const std::int8_t* codes = parts.codes + group * n_per_group;
    float* numbers = result + group * n_per_group;
    const float scale = parts.scales[group];
    const float offset = has_offsets ? parts.offsets[group] : 0.0F;
    for (int i = 0; i < n_per_group; ++i) numbers[i] = scale * static_cast<float>(codes[i]);
    if (has_offsets) {
      for (int i = 0; i < n_per_group; ++i) numbers[i] += offset;
    }
  }
}

}  // namespace

// A run of blocks at a time, whose codes the processor's first cache holds.
void dequantize_row(files::GgmlType type,
                    const std::byte* row,
                    std::int64_t n_elements,
                    float* result) {
  constexpr std::int64_t kRun = 1024;  // a multiple of every block's elements
  std::array<std::int8_t, kRun> codes;
  std::array<float, kRun / 16> scales;
  std::array<float, kRun / 16> offsets;
  const GroupForm form = group_form(type);
  const files::BlockLayout layout = *files::block_layout(type);
  const RowCodes parts{codes.data(), scales.data(), offsets.data()};
  for (std::int64_t first = 0; first < n_elements; first += kRun) {
    const std::int64_t n = std::min(kRun, n_elements - first);
    unpack_codes(type, row + first / layout.n_elements * layout.n_bytes, n, parts);
    numbers_of(parts, n / form.n_elements, form.n_elements, form.has_offsets, result + first);
  }
}

void dequantize_mxfp4(const std::byte* codes,
                      const std::byte* scales,
                      std::int64_t n_elements,
                      float* result) {
  constexpr std::int64_t kPerScale = 32;
  // With the sign of zero, which a product keeps.
  constexpr std::array<float, 16> kE2m1 = {0.0F,  0.5F,  1.0F,  1.5F,  2.0F,  3.0F,  4.0F,  6.0F,
                                           -0.0F, -0.5F, -1.0F, -1.5F, -2.0F, -3.0F, -4.0F, -6.0F};
  LABELPROBE_CHECK(n_elements % kPerScale == 0);
  for (std::int64_t i = 0; i < n_elements; i += 2) {
    const float scale = std::ldexp(1.0F, std::to_integer<int>(scales[i / kPerScale]) - 127);
    const auto pair = static_cast<unsigned char>(codes[i / 2]);
    result[i] = scale * kE2m1[pair & 0x0F];
    result[i + 1] = scale * kE2m1[pair >> 4];
  }
}

}  // namespace labelprobe::weights
