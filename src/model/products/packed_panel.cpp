#include "model/products/packed_panel.h"

#include <algorithm>
#include <cstdlib>

#include "labelprobe/files/ggml_types.h"

#include "weights/device/processor.h"

#ifdef LABELPROBE_AVX512
#include <immintrin.h>
#endif

namespace labelprobe::model {
namespace {

constexpr std::int64_t kRows = PackedPanel::kRows;
constexpr std::int64_t kSixteen = 16;
constexpr std::int64_t kAtOnce = 64;  // columns

// Codes of a group whose sizes add up to so much have a sum with numbers of 24 bits that fits 32.
constexpr std::int32_t kLargestSum = 256;

// Codes of types with offsets are 0 and more: less what is in their midst, their sums are smaller.
int middle_code(files::GgmlType type) {
  using enum files::GgmlType;
  if (type == Q4_1 || type == Q4_K) return 8;
  return type == Q5_1 || type == Q5_K ? 16 : 0;
}

// Codes [kRows, stride] less `middle`.
void put_in_fours(const std::int8_t* codes,
                  std::int64_t stride,
                  std::int64_t n_columns,
                  int middle,
                  std::int8_t* fours) {
  for (std::int64_t column = 0; column < n_columns; column += 4) {
    for (std::int64_t row = 0; row < kRows; ++row) {
      for (std::int64_t i = 0; i < 4; ++i) {
        fours[column * kRows + 4 * row + i] =
            static_cast<std::int8_t>(codes[row * stride + column + i] - middle);
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
                                                 std::int64_t stride,
                                                 std::int64_t n_columns,
                                                 int middle,
                                                 std::int8_t* fours) {
  const __m512i middles = _mm512_set1_epi8(static_cast<char>(middle));
  for (std::int64_t column = 0; column < n_columns; column += 4 * kSixteen) {
    for (std::int64_t half = 0; half < 2; ++half) {
      __m512i r[kSixteen];
#pragma GCC unroll 16
      for (std::int64_t i = 0; i < kSixteen; ++i) {
        const std::int8_t* from = codes + (kSixteen * half + i) * stride + column;
        r[i] = _mm512_sub_epi8(_mm512_loadu_si512(from), middles);
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

void put_in_order(const std::int8_t* codes,
                  std::int64_t stride,
                  std::int64_t n_columns,
                  int middle,
                  std::int8_t* fours) {
#ifdef LABELPROBE_AVX512
  if (weights::has_avx512()) {
    return put_in_fours_by_registers(codes, stride, n_columns, middle, fours);
  }
#endif
  put_in_fours(codes, stride, n_columns, middle, fours);
}

// Codes [n_per_group / 4, kRows, 4] of a group: what each row's add up to, and whether all rows'
// sizes add up to at most kLargestSum.
bool sum_up_plainly(const std::int8_t* fours, std::int64_t n_per_group, std::int32_t* sums) {
  std::int32_t sizes[kRows] = {};
  std::fill(sums, sums + kRows, 0);
  for (std::int64_t i = 0; i < n_per_group * kRows; ++i) {
    const std::int64_t row = i / 4 % kRows;
    sums[row] += fours[i];
    sizes[row] += std::abs(fours[i]);
  }
  return *std::max_element(sizes, sizes + kRows) <= kLargestSum;
}

#ifdef LABELPROBE_AVX512

LABELPROBE_AVX512 bool sum_up_by_registers(const std::int8_t* fours,
                                           std::int64_t n_per_group,
                                           std::int32_t* sums) {
  const __m512i ones = _mm512_set1_epi8(1);
  const __m512i pairs = _mm512_set1_epi16(1);
  bool are_small = true;
  for (std::int64_t half = 0; half < 2; ++half) {
    __m512i sum = _mm512_setzero_si512();
    __m512i size = _mm512_setzero_si512();
    for (std::int64_t k = 0; k < n_per_group; k += 4) {
      const __m512i codes = _mm512_loadu_si512(fours + k * kRows + 4 * kSixteen * half);
      sum = _mm512_add_epi32(sum, _mm512_madd_epi16(_mm512_maddubs_epi16(ones, codes), pairs));
      size = _mm512_add_epi32(
          size, _mm512_madd_epi16(_mm512_maddubs_epi16(_mm512_abs_epi8(codes), ones), pairs));
    }
    _mm512_storeu_si512(sums + kSixteen * half, sum);
    are_small = are_small && _mm512_reduce_max_epi32(size) <= kLargestSum;
  }
  return are_small;
}

#endif

bool sum_up(const std::int8_t* fours, std::int64_t n_per_group, std::int32_t* sums) {
#ifdef LABELPROBE_AVX512
  if (weights::has_avx512()) return sum_up_by_registers(fours, n_per_group, sums);
#endif
  return sum_up_plainly(fours, n_per_group, sums);
}

}  // namespace

void PackedPanel::unpack(const weights::PackedWeight& weight, std::int64_t first_row) {
  form_ = weights::group_form(weight.type);
  n_groups_ = weight.width / form_.n_elements;
  const std::int64_t n_rows = std::min(kRows, weight.height - first_row);
  const std::int64_t stride = (weight.width + kAtOnce - 1) / kAtOnce * kAtOnce;
  const auto n_codes = static_cast<std::size_t>(kRows * stride);
  const auto n_numbers = static_cast<std::size_t>(kRows * n_groups_);
  row_codes_.resize(n_codes);
  fours_.resize(n_codes);
  row_numbers_.resize(static_cast<std::size_t>(2 * n_groups_));
  for (auto* numbers : {&scales_, &offsets_}) numbers->resize(n_numbers);
  bases_.resize(n_numbers);
  if (n_rows < kRows) {
    std::fill(row_codes_.begin(), row_codes_.end(), std::int8_t{0});
    std::fill(scales_.begin(), scales_.end(), 0.0F);
    std::fill(offsets_.begin(), offsets_.end(), 0.0F);
  }
  const int middle = middle_code(weight.type);
  float* scales = row_numbers_.data();
  float* offsets = scales + n_groups_;
  for (std::int64_t row = 0; row < n_rows; ++row) {
    weights::unpack_codes(weight.type, weight.row(first_row + row), weight.width,
                          {row_codes_.data() + row * stride, scales, offsets});
    for (std::int64_t group = 0; group < n_groups_; ++group) {
      scales_[group * kRows + row] = scales[group];
      if (form_.has_offsets) {
        offsets_[group * kRows + row] = offsets[group] + static_cast<float>(middle) * scales[group];
      }
    }
  }
  put_in_order(row_codes_.data(), stride, weight.width, middle, fours_.data());
  is_narrow_ = true;
  for (std::int64_t group = 0; group < n_groups_; ++group) {
    std::int32_t* sums = bases_.data() + group * kRows;
    const bool is_narrow =
        sum_up(fours_.data() + group * form_.n_elements * kRows, form_.n_elements, sums);
    is_narrow_ = is_narrow_ && is_narrow;
    for (std::int64_t row = 0; row < kRows; ++row) sums[row] *= -128;
  }
}

}  // namespace labelprobe::model
