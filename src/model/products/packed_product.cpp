#include "model/products/packed_product.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include <ATen/Parallel.h>
#include <ATen/record_function.h>

#include "labelprobe/core/error.h"

#include "model/products/packed_panel.h"
#include "weights/device/processor.h"

#ifdef LABELPROBE_AVX512
#include <immintrin.h>
#endif

namespace labelprobe::model {
namespace {

constexpr std::int64_t kRun = RoundedRows::kRun;
constexpr std::int64_t kHalf = kRun / 2;
constexpr std::int64_t kTileRows = RoundedRows::kTileRows;
constexpr std::int64_t kDigits = RoundedRows::kDigits;
constexpr std::int64_t kSums = RoundedRows::kSums;
constexpr std::int64_t kPanelRows = PackedPanel::kRows;
constexpr int kDigitBits = 8;
constexpr float kBase = 256.0F;

// Some rows of a tile.
struct Rows {
  const std::uint8_t* digits;
  const float* scales;
  const float* sums;
};

// The sums of all rows' numbers of a group: place `group` of a row's groups.
LABELPROBE_PART inline const float* sums_of_group(const float* sums,
                                                  std::int64_t n_per_group,
                                                  std::int64_t group) {
  return sums +
         (n_per_group == kHalf ? group / 2 * kSums + group % 2 : group * kSums + 2) * kTileRows;
}

// result [n_rows, kPanelRows] = the products of at most kTileRows rows with a panel's.
using MultiplyRows = void (*)(int n_rows, const Rows& x, const PackedPanel& panel, float* result);

void multiply_rows_plainly(int n_rows, const Rows& x, const PackedPanel& panel, float* result) {
  const auto [n_per_group, has_offsets] = panel.form();
  const std::int64_t n_groups = kRun / n_per_group;
  std::fill(result, result + n_rows * kPanelRows, 0.0F);
  for (std::int64_t group = 0; group < panel.n_groups(); ++group) {
    const std::int8_t* codes = panel.codes() + group * n_per_group * kPanelRows;
    const std::int32_t* bases = panel.bases() + group * kPanelRows;
    for (std::int64_t t = 0; t < n_rows; ++t) {
      const std::int64_t run = group / n_groups * kTileRows + t;
      const std::uint8_t* digits = x.digits + run * kDigits * kRun + group % n_groups * n_per_group;
      const float group_sum = sums_of_group(x.sums, n_per_group, group)[t];
      for (std::int64_t i = 0; i < kPanelRows; ++i) {
        const auto add = [&](std::uint32_t whole, std::int64_t digit) {
          for (std::int64_t k = 0; k < n_per_group; ++k) {
            whole += static_cast<std::uint32_t>(codes[(k - k % 4) * kPanelRows + 4 * i + k % 4] *
                                                digits[digit * kRun + k]);
          }
          return whole;
        };
        const std::uint32_t upper =
            add(add(static_cast<std::uint32_t>(bases[i]), 0) << kDigitBits, 1);
        const float whole =
            panel.is_narrow()
                ? static_cast<float>(static_cast<std::int32_t>(add(upper << kDigitBits, 2)))
                : std::fma(static_cast<float>(static_cast<std::int32_t>(upper)), kBase,
                           static_cast<float>(static_cast<std::int32_t>(add(0, 2))));
        const std::int64_t place = group * kPanelRows + i;
        float& sum = result[t * kPanelRows + i];
        if (has_offsets) sum = std::fma(panel.offsets()[place], group_sum, sum);
        sum = std::fma(whole, panel.scales()[place] * x.scales[run], sum);
      }
    }
  }
}

#ifdef LABELPROBE_AVX512

#define LABELPROBE_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

bool has_vnni() {
  static const bool has_it = weights::has_avx512() && __builtin_cpu_supports("avx512vnni");
  return has_it;
}

// Two registers of sums for each row.
template <int kRows>
using Sums = __m512i[kRows][2];

// sums += products of four neighbours, of a digit of a group. As an instruction: GCC copies
// registers around its intrinsic.
template <int kRows, int kPerGroup>
LABELPROBE_VNNI inline void add_digit(Sums<kRows>& sums,
                                      const std::int8_t* codes,
                                      const std::uint8_t* digits) {
#pragma GCC unroll 8
  for (int k = 0; k < kPerGroup; k += 4) {
    const __m512i left = _mm512_loadu_si512(codes + k * kPanelRows);
    const __m512i right = _mm512_loadu_si512(codes + k * kPanelRows + 64);
#pragma GCC unroll 8
    for (int t = 0; t < kRows; ++t) {
      std::int32_t four;
      std::memcpy(&four, digits + t * kDigits * kRun + k, sizeof four);
      const __m512i fours = _mm512_set1_epi32(four);
      asm("vpdpbusd %2, %1, %0" : "+v"(sums[t][0]) : "v"(fours), "v"(left));
      asm("vpdpbusd %2, %1, %0" : "+v"(sums[t][1]) : "v"(fours), "v"(right));
    }
  }
}

template <int kRows>
LABELPROBE_VNNI inline void shift(Sums<kRows>& sums) {
#pragma GCC unroll 8
  for (int t = 0; t < kRows; ++t) {
    sums[t][0] = _mm512_slli_epi32(sums[t][0], kDigitBits);
    sums[t][1] = _mm512_slli_epi32(sums[t][1], kDigitBits);
  }
}

template <int kRows, int kPerGroup, bool kHasOffsets, bool kIsNarrow>
LABELPROBE_VNNI void multiply_tile(const Rows x, const PackedPanel& panel, float* result) {
  constexpr int kGroups = static_cast<int>(kRun) / kPerGroup;
  // Stores could change what panel refers to, for all the compiler knows.
  const std::int64_t n_groups = panel.n_groups();
  const std::int8_t* codes = panel.codes();
  const std::int32_t* bases = panel.bases();
  const float* scales = panel.scales();
  const float* offsets = panel.offsets();
  __m512 zero = _mm512_setzero_ps();
  for (int i = 0; i < kRows * kPanelRows; i += 16) _mm512_storeu_ps(result + i, zero);
  for (std::int64_t group = 0; group < n_groups; ++group) {
    const std::int64_t run = group / kGroups * kTileRows;
    const std::uint8_t* digits = x.digits + run * kDigits * kRun + group % kGroups * kPerGroup;
    const float* row_scales = x.scales + run;
    const float* row_sums = sums_of_group(x.sums, kPerGroup, group);
    const __m512i left = _mm512_loadu_si512(bases);
    const __m512i right = _mm512_loadu_si512(bases + 16);
    Sums<kRows> whole;
    __m512 upper[kRows][2];
#pragma GCC unroll 8
    for (int t = 0; t < kRows; ++t) {
      whole[t][0] = left;
      whole[t][1] = right;
    }
    add_digit<kRows, kPerGroup>(whole, codes, digits);
    shift<kRows>(whole);
    add_digit<kRows, kPerGroup>(whole, codes, digits + kRun);
    if constexpr (kIsNarrow) {
      shift<kRows>(whole);
    } else {
#pragma GCC unroll 8
      for (int t = 0; t < kRows; ++t) {
        for (int half = 0; half < 2; ++half) {
          upper[t][half] = _mm512_cvtepi32_ps(whole[t][half]);
          whole[t][half] = _mm512_setzero_si512();
        }
      }
    }
    add_digit<kRows, kPerGroup>(whole, codes, digits + 2 * kRun);
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      const __m512 scale = _mm512_loadu_ps(scales + 16 * half);
      const __m512 offset = kHasOffsets ? _mm512_loadu_ps(offsets + 16 * half) : zero;
#pragma GCC unroll 8
      for (int t = 0; t < kRows; ++t) {
        float* to = result + t * kPanelRows + 16 * half;
        __m512 number = _mm512_cvtepi32_ps(whole[t][half]);
        if constexpr (!kIsNarrow) {
          number = _mm512_fmadd_ps(upper[t][half], _mm512_set1_ps(kBase), number);
        }
        __m512 sum = _mm512_loadu_ps(to);
        if constexpr (kHasOffsets) {
          sum = _mm512_fmadd_ps(offset, _mm512_set1_ps(row_sums[t]), sum);
        }
        const __m512 factor = _mm512_mul_ps(scale, _mm512_set1_ps(row_scales[t]));
        _mm512_storeu_ps(to, _mm512_fmadd_ps(number, factor, sum));
      }
    }
    codes += kPerGroup * kPanelRows;
    bases += kPanelRows;
    scales += kPanelRows;
    offsets += kPanelRows;
  }
}

template <int kPerGroup, bool kHasOffsets, bool kIsNarrow>
void multiply_rows(int n_rows, const Rows& x, const PackedPanel& panel, float* result) {
  using MultiplyTile = void (*)(Rows, const PackedPanel&, float*);
  static constexpr std::array<MultiplyTile, kTileRows> kTiles = {
      multiply_tile<1, kPerGroup, kHasOffsets, kIsNarrow>,
      multiply_tile<2, kPerGroup, kHasOffsets, kIsNarrow>,
      multiply_tile<3, kPerGroup, kHasOffsets, kIsNarrow>,
      multiply_tile<4, kPerGroup, kHasOffsets, kIsNarrow>,
      multiply_tile<5, kPerGroup, kHasOffsets, kIsNarrow>,
      multiply_tile<6, kPerGroup, kHasOffsets, kIsNarrow>,
      multiply_tile<7, kPerGroup, kHasOffsets, kIsNarrow>,
      multiply_tile<8, kPerGroup, kHasOffsets, kIsNarrow>};
  kTiles[static_cast<std::size_t>(n_rows - 1)](x, panel, result);
}

template <int kPerGroup, bool kHasOffsets>
MultiplyRows rows_of(bool is_narrow) {
  return is_narrow ? multiply_rows<kPerGroup, kHasOffsets, true>
                   : multiply_rows<kPerGroup, kHasOffsets, false>;
}

// Who multiplies by a panel.
MultiplyRows find_code(const PackedPanel& panel) {
  if (!has_vnni()) return multiply_rows_plainly;
  const auto [n_per_group, has_offsets] = panel.form();
  if (n_per_group == kHalf) {
    return (has_offsets ? rows_of<kHalf, true> : rows_of<kHalf, false>)(panel.is_narrow());
  }
  return (has_offsets ? rows_of<kRun, true> : rows_of<kRun, false>)(panel.is_narrow());
}

#else

bool has_vnni() {
  return false;
}

MultiplyRows find_code(const PackedPanel&) {
  return multiply_rows_plainly;
}

#endif

// Where a panel's products with all rows go: their columns of the result.
struct Target {
  float* first;
  std::int64_t stride;
  std::int64_t n_columns;
  const float* bias;  // null = none
  Into into;
};

// products [n_rows, kPanelRows] of rows from `first` on.
LABELPROBE_FOR_EACH_PROCESSOR
void put(const float* products, std::int64_t first, std::int64_t n_rows, const Target& target) {
  const auto [to, stride, n_columns, bias, into] = target;
  for (std::int64_t t = 0; t < n_rows; ++t) {
    const float* from = products + t * kPanelRows;
    float* row = to + (first + t) * stride;
    if (bias == nullptr && into == Into::Result) {
      std::memcpy(row, from, static_cast<std::size_t>(n_columns) * sizeof(float));
      continue;
    }
    for (std::int64_t i = 0; i < n_columns; ++i) {
      const float number = bias == nullptr ? from[i] : from[i] + bias[i];
      row[i] = into == Into::Sum ? row[i] + number : number;
    }
  }
}

void multiply_panel(const RoundedRows& x,
                    const PackedPanel& panel,
                    Code code,
                    const Target& target) {
  const std::int64_t n_runs = x.width / kRun;
  const Rows all = {x.digits.const_data_ptr<std::uint8_t>(), x.scales.const_data_ptr<float>(),
                    x.sums.const_data_ptr<float>()};
  const MultiplyRows multiply = code == Code::Plain ? multiply_rows_plainly : find_code(panel);
  float products[kTileRows * kPanelRows];
  for (std::int64_t first = 0; first < x.n_rows; first += kTileRows) {
    const int n = static_cast<int>(std::min(kTileRows, x.n_rows - first));
    const std::int64_t place = first * n_runs;
    const Rows rows = {all.digits + place * kDigits * kRun, all.scales + place,
                       all.sums + place * kSums};
    multiply(n, rows, panel, products);
    put(products, first, n, target);
  }
}

}  // namespace

void multiply_packed(const RoundedRows& x,
                     const weights::PackedWeight& weight,
                     const std::optional<at::Tensor>& bias,
                     at::Tensor& result,
                     Into into,
                     Code code) {
  RECORD_FUNCTION("labelprobe::multiply_packed", {});
  LABELPROBE_CHECK(x.width == weight.width && result.scalar_type() == at::kFloat &&
                   result.stride(1) == 1 && result.size(0) == x.n_rows &&
                   result.size(1) == weight.height);
  const float* addends = bias ? bias->const_data_ptr<float>() : nullptr;
  float* to = result.mutable_data_ptr<float>();
  const std::int64_t n_panels = (weight.height + kPanelRows - 1) / kPanelRows;
  at::parallel_for(0, n_panels, 1, [&](std::int64_t begin, std::int64_t end) {
    static thread_local PackedPanel panel;
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i * kPanelRows;
      panel.unpack(weight, first);
      multiply_panel(x, panel, code,
                     {to + first, result.stride(0), std::min(kPanelRows, weight.height - first),
                      addends ? addends + first : nullptr, into});
    }
  });
}

std::string_view packed_code() {
  return has_vnni() ? "VNNI" : "any processor";
}

bool is_packed_faster() {
  return has_vnni();
}

}  // namespace labelprobe::model
