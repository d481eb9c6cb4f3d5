#include "model/products/packed_panel.h"

#include <algorithm>

#include "labelprobe/files/ggml_types.h"

#include "weights/device/processor.h"

#ifdef LABELPROBE_AVX512
#include <immintrin.h>
#endif

namespace labelprobe::model {
namespace {

constexpr std::int64_t kRows = PackedPanel::kRows;
constexpr std::int64_t kColumns = PackedPanel::kColumns;
constexpr std::int64_t kSixteen = 16;

// A code with 128 added, as the bits of a byte.
constexpr std::uint8_t kSign = 0x80;

void put_in_fours(const std::int8_t* codes, std::int64_t n_columns, std::uint8_t* fours) {
  for (std::int64_t column = 0; column < n_columns; column += 4) {
    for (std::int64_t row = 0; row < kRows; ++row) {
      for (std::int64_t i = 0; i < 4; ++i) {
        const auto code = static_cast<std::uint8_t>(codes[row * kColumns + column + i]);
        fours[column * kRows + 4 * row + i] = static_cast<std::uint8_t>(code ^ kSign);
      }
    }
  }
}

#ifdef LABELPROBE_AVX512

// Sixteen rows of sixteen fours, turned on their side: registers become columns.
LABELPROBE_AVX512 inline void turn(__m512i (&r)[kSixteen]) {
  __m512i t[kSixteen];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    r[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
    r[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
    r[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
    r[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
  }
  // r[4 i + c] has columns c, c + 4, c + 8 and c + 12 of rows 4 i to 4 i + 3.
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    t[c] = _mm512_shuffle_i32x4(r[c], r[4 + c], 0x88);
    t[4 + c] = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0x88);
    t[8 + c] = _mm512_shuffle_i32x4(r[c], r[4 + c], 0xDD);
    t[12 + c] = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0xDD);
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    r[c] = _mm512_shuffle_i32x4(t[c], t[4 + c], 0x88);
    r[8 + c] = _mm512_shuffle_i32x4(t[c], t[4 + c], 0xDD);
    r[4 + c] = _mm512_shuffle_i32x4(t[8 + c], t[12 + c], 0x88);
    r[12 + c] = _mm512_shuffle_i32x4(t[8 + c], t[12 + c], 0xDD);
  }
}

// Sixteen fours at a time; behind the last column there is room in both, whatever it holds.
LABELPROBE_AVX512 void put_in_fours_by_registers(const std::int8_t* codes,
                                                 std::int64_t n_columns,
                                                 std::uint8_t* fours) {
  const __m512i signs = _mm512_set1_epi8(static_cast<char>(kSign));
  for (std::int64_t column = 0; column < n_columns; column += 4 * kSixteen) {
    for (std::int64_t half = 0; half < 2; ++half) {
      __m512i r[kSixteen];
#pragma GCC unroll 16
      for (std::int64_t i = 0; i < kSixteen; ++i) {
        const std::int8_t* from = codes + (kSixteen * half + i) * kColumns + column;
        r[i] = _mm512_xor_si512(_mm512_loadu_si512(from), signs);
      }
      turn(r);
#pragma GCC unroll 16
      for (std::int64_t i = 0; i < kSixteen; ++i) {
        _mm512_storeu_si512(fours + (column + 4 * i) * kRows + 4 * kSixteen * half, r[i]);
      }
    }
  }
}

#endif

void put_in_order(const std::int8_t* codes, std::int64_t n_columns, std::uint8_t* fours) {
#ifdef LABELPROBE_AVX512
  if (weights::has_avx512()) return put_in_fours_by_registers(codes, n_columns, fours);
#endif
  put_in_fours(codes, n_columns, fours);
}

}  // namespace

PackedPanel::PackedPanel()
    : row_codes_(kRows * kColumns),
      row_numbers_(2 * kColumns / kSixteen),
      fours_(kRows * kColumns),
      scales_(kRows * kColumns / kSixteen),
      offsets_(kRows * kColumns / kSixteen) {}

void PackedPanel::unpack(const weights::PackedWeight& weight,
                         std::int64_t first_row,
                         std::int64_t first_column,
                         std::int64_t n_columns) {
  form_ = weights::group_form(weight.type);
  const std::int64_t n_rows = std::min(kRows, weight.height - first_row);
  const std::int64_t n_groups = n_columns / form_.n_elements;
  const std::int64_t first_byte = weights::packed_row_bytes(weight.type, first_column);
  if (n_rows < kRows) {
    std::fill(scales_.begin(), scales_.end(), 0.0F);
    std::fill(offsets_.begin(), offsets_.end(), 0.0F);
  }
  float* scales = row_numbers_.data();
  float* offsets = scales + kColumns / kSixteen;
  for (std::int64_t row = 0; row < n_rows; ++row) {
    weights::unpack_codes(weight.type, weight.row(first_row + row) + first_byte, n_columns,
                          {row_codes_.data() + row * kColumns, scales, offsets});
    for (std::int64_t group = 0; group < n_groups; ++group) {
      scales_[group * kRows + row] = scales[group];
      if (form_.has_offsets) offsets_[group * kRows + row] = offsets[group];
    }
  }
  put_in_order(row_codes_.data(), n_columns, fours_.data());
}

}  // namespace labelprobe::model
