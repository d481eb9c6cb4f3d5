#include "model/products/packed_product.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <ATen/Functions.h>
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
constexpr float kTiny = 1e-30F;
// Digits to the base of 256. The largest number has digits in their ranges even if it is rounded
// up.
constexpr int kDigitBits = 8;
constexpr std::int32_t kBase = 256;
constexpr float kHighDigit = 65536.0F;
constexpr float kLargest = 127 * 65536 + 127 * 256;
// What codes are raised by (packed_panel.h).
constexpr std::int32_t kRaised = 128;

// One run of kRun numbers.
struct RoundedRun {
  std::int8_t* digits[3];
  float* scale;
  float* sum;
  float* half_sums;  // [2]
  std::int32_t* high;
  std::int32_t* half_high;  // [2]
  std::int32_t* low;
  std::int32_t* half_low;  // [2]
};

LABELPROBE_PART inline std::int32_t lowest_digit(std::int32_t number) {
  return ((number + kBase / 2) & (kBase - 1)) - kBase / 2;
}

LABELPROBE_PART inline void round_run(const float* x, const RoundedRun& to) {
  // The bits of numbers that are not negative are in the order of the numbers.
  std::uint32_t largest_bits = 0;
  for (std::int64_t i = 0; i < kRun; ++i) {
    largest_bits = std::max(largest_bits, std::bit_cast<std::uint32_t>(x[i]) & 0x7FFFFFFFU);
  }
  const float largest = std::bit_cast<float>(largest_bits);
  const bool is_finite = largest_bits < 0x7F800000U;
  const float factor = is_finite && largest >= kTiny ? kLargest / largest : 0.0F;
  const float scale = is_finite ? largest / kLargest : std::numeric_limits<float>::quiet_NaN();
  *to.scale = scale;
  for (std::int64_t half = 0; half < 2; ++half) {
    std::int32_t high_sum = 0;
    std::int32_t low_sum = 0;
    for (std::int64_t i = half * kHalf; i < (half + 1) * kHalf; ++i) {
      const float scaled = is_finite ? x[i] * factor : 0.0F;
      const auto number = static_cast<std::int32_t>(scaled + (scaled < 0.0F ? -0.5F : 0.5F));
      const std::int32_t low = lowest_digit(number);
      const std::int32_t rest = (number - low) >> kDigitBits;
      const std::int32_t middle = lowest_digit(rest);
      const std::int32_t high = (rest - middle) >> kDigitBits;
      to.digits[0][i] = static_cast<std::int8_t>(high);
      to.digits[1][i] = static_cast<std::int8_t>(middle);
      to.digits[2][i] = static_cast<std::int8_t>(low);
      high_sum += high;
      low_sum += kBase * middle + low;
    }
    to.half_high[half] = -kRaised * high_sum;
    to.half_low[half] = -kRaised * low_sum;
    to.half_sums[half] = scale * static_cast<float>((high_sum << (2 * kDigitBits)) + low_sum);
  }
  *to.high = to.half_high[0] + to.half_high[1];
  *to.low = to.half_low[0] + to.half_low[1];
  *to.sum = to.half_sums[0] + to.half_sums[1];
}

LABELPROBE_FOR_EACH_PROCESSOR
void round_runs(const float* x, std::int64_t n_runs, const RoundedRun& first) {
  for (std::int64_t i = 0; i < n_runs; ++i) {
    round_run(x + i * kRun,
              {{first.digits[0] + i * kRun, first.digits[1] + i * kRun, first.digits[2] + i * kRun},
               first.scale + i,
               first.sum + i,
               first.half_sums + 2 * i,
               first.high + i,
               first.half_high + 2 * i,
               first.low + i,
               first.half_low + 2 * i});
  }
}

// Some rows of the input, from a column on with which a panel begins.
struct Rows {
  const std::int8_t* digits[3];
  std::int64_t width;   // from a row's digits to the next one's
  const float* scales;  // of the first column's run
  std::int64_t n_runs;  // from a row's scales to the next one's
  // The sums of the first column's group, and how far a row's are from the next one's.
  const float* sums;
  const std::int32_t* high;
  const std::int32_t* low;
  std::int64_t n_groups;
};

constexpr std::int64_t kPanelRows = PackedPanel::kRows;

// Adds the products of some rows with a panel's to sums [rows, kPanelRows].
//   n_runs  of the panel
void add_products(
    const Rows& x, int n_rows, const PackedPanel& panel, std::int64_t n_runs, float* sums) {
  const auto [n_per_group, has_offsets] = panel.form();
  const std::int64_t n_groups = kRun / n_per_group;
  for (std::int64_t t = 0; t < n_rows; ++t) {
    for (std::int64_t group = 0; group < n_runs * n_groups; ++group) {
      const std::uint8_t* codes = panel.codes() + group * n_per_group * kPanelRows;
      const float scale = x.scales[t * x.n_runs + group / n_groups];
      const std::int64_t x_group = t * x.n_groups + group;
      for (std::int64_t i = 0; i < kPanelRows; ++i) {
        std::int32_t whole[3] = {};
        for (int digit = 0; digit < 3; ++digit) {
          const std::int8_t* digits = x.digits[digit] + t * x.width + group * n_per_group;
          for (std::int64_t k = 0; k < n_per_group; ++k) {
            whole[digit] += codes[(k - k % 4) * kPanelRows + 4 * i + k % 4] * digits[k];
          }
        }
        const auto high = static_cast<float>(whole[0] + x.high[x_group]);
        const auto low = static_cast<float>(kBase * whole[1] + whole[2] + x.low[x_group]);
        float& sum = sums[t * kPanelRows + i];
        const std::int64_t place = group * kPanelRows + i;
        sum = std::fma(std::fma(high, kHighDigit, low), panel.scales()[place] * scale, sum);
        if (has_offsets) sum = std::fma(panel.offsets()[place], x.sums[x_group], sum);
      }
    }
  }
}

constexpr int kTileRows = 4;  // 24 registers of sums

#ifdef LABELPROBE_AVX512

#define LABELPROBE_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

bool has_vnni() {
  static const bool has_it = weights::has_avx512() && __builtin_cpu_supports("avx512vnni");
  return has_it;
}

// sum += products of four neighbours. As an instruction: GCC copies registers around its intrinsic.
LABELPROBE_VNNI inline void add_fours(__m512i& sum, __m512i codes, __m512i digits) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(codes), "v"(digits));
}

// The sums of digits' products as numbers.
LABELPROBE_VNNI inline __m512 joined(__m512i high, __m512i middle, __m512i low) {
  const __m512i lower = _mm512_add_epi32(_mm512_slli_epi32(middle, kDigitBits), low);
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(high), _mm512_set1_ps(kHighDigit),
                         _mm512_cvtepi32_ps(lower));
}

template <int kRows, int kPerGroup, bool kHasOffsets>
LABELPROBE_VNNI void add_tile(const Rows& x,
                              const PackedPanel& panel,
                              std::int64_t n_runs,
                              float* sums) {
  constexpr int kGroups = static_cast<int>(kRun) / kPerGroup;
  for (std::int64_t group = 0; group < n_runs * kGroups; ++group) {
    __m512i whole[kRows][3][2];
#pragma GCC unroll 4
    for (int t = 0; t < kRows; ++t) {
      whole[t][0][0] = whole[t][0][1] = _mm512_set1_epi32(x.high[t * x.n_groups + group]);
      whole[t][1][0] = whole[t][1][1] = _mm512_setzero_si512();
      whole[t][2][0] = whole[t][2][1] = _mm512_set1_epi32(x.low[t * x.n_groups + group]);
    }
    const std::uint8_t* codes = panel.codes() + group * kPerGroup * kPanelRows;
#pragma GCC unroll 2
    for (int k = 0; k < kPerGroup; k += 4) {
      const __m512i left = _mm512_loadu_si512(codes + k * kPanelRows);
      const __m512i right = _mm512_loadu_si512(codes + k * kPanelRows + 64);
#pragma GCC unroll 4
      for (int t = 0; t < kRows; ++t) {
#pragma GCC unroll 3
        for (int digit = 0; digit < 3; ++digit) {
          std::int32_t four;
          std::memcpy(&four, x.digits[digit] + t * x.width + group * kPerGroup + k, sizeof four);
          const __m512i digits = _mm512_set1_epi32(four);
          add_fours(whole[t][digit][0], left, digits);
          add_fours(whole[t][digit][1], right, digits);
        }
      }
    }
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      const std::int64_t place = group * kPanelRows + 16 * half;
      const __m512 scales = _mm512_loadu_ps(panel.scales() + place);
      __m512 offsets = _mm512_setzero_ps();
      if constexpr (kHasOffsets) offsets = _mm512_loadu_ps(panel.offsets() + place);
#pragma GCC unroll 4
      for (int t = 0; t < kRows; ++t) {
        float* to = sums + t * kPanelRows + 16 * half;
        const __m512 scale = _mm512_set1_ps(x.scales[t * x.n_runs + group / kGroups]);
        __m512 sum =
            _mm512_fmadd_ps(joined(whole[t][0][half], whole[t][1][half], whole[t][2][half]),
                            _mm512_mul_ps(scales, scale), _mm512_loadu_ps(to));
        if constexpr (kHasOffsets) {
          sum = _mm512_fmadd_ps(offsets, _mm512_set1_ps(x.sums[t * x.n_groups + group]), sum);
        }
        _mm512_storeu_ps(to, sum);
      }
    }
  }
}

using AddTile = void (*)(const Rows&, const PackedPanel&, std::int64_t, float*);

template <int kPerGroup, bool kHasOffsets>
constexpr std::array<AddTile, kTileRows + 1> kAddTiles = {
    nullptr, add_tile<1, kPerGroup, kHasOffsets>, add_tile<2, kPerGroup, kHasOffsets>,
    add_tile<3, kPerGroup, kHasOffsets>, add_tile<4, kPerGroup, kHasOffsets>};

void add_tile_of(
    const Rows& x, int n_rows, const PackedPanel& panel, std::int64_t n_runs, float* sums) {
  const auto [n_per_group, has_offsets] = panel.form();
  const auto& tiles = n_per_group == 16
                          ? (has_offsets ? kAddTiles<16, true> : kAddTiles<16, false>)
                          : (has_offsets ? kAddTiles<32, true> : kAddTiles<32, false>);
  tiles[static_cast<std::size_t>(n_rows)](x, panel, n_runs, sums);
}

#else

bool has_vnni() {
  return false;
}

void add_tile_of(
    const Rows& x, int n_rows, const PackedPanel& panel, std::int64_t n_runs, float* sums) {
  add_products(x, n_rows, panel, n_runs, sums);
}

#endif

// A panel's rows times all of x, into its columns of the result.
class PanelProduct {
 public:
  PanelProduct(const RoundedRows& x, const weights::PackedWeight& weight)
      : x_(x), weight_(weight), sums_(static_cast<std::size_t>(x.n_rows * kPanelRows)) {}

  void compute(std::int64_t first_row) {
    std::fill(sums_.begin(), sums_.end(), 0.0F);
    for (std::int64_t column = 0; column < x_.width; column += PackedPanel::kColumns) {
      const std::int64_t n_columns = std::min(PackedPanel::kColumns, x_.width - column);
      panel_.unpack(weight_, first_row, column, n_columns);
      for (std::int64_t t = 0; t < x_.n_rows; t += kTileRows) {
        const int n = static_cast<int>(std::min<std::int64_t>(kTileRows, x_.n_rows - t));
        const auto add = has_vnni() ? add_tile_of : add_products;
        add(rows_of(t, column), n, panel_, n_columns / kRun, sums_.data() + t * kPanelRows);
      }
    }
  }

  const float* sums(std::int64_t row) const { return sums_.data() + row * kPanelRows; }

 private:
  Rows rows_of(std::int64_t row, std::int64_t column) const {
    const std::int64_t n_runs = x_.width / kRun;
    const std::int64_t n_per_group = panel_.form().n_elements;
    const std::int64_t n_groups = x_.width / n_per_group;
    const RunSums& sums = n_per_group == kRun ? x_.runs : x_.halves;
    const std::int64_t first = row * x_.width + column;
    const std::int64_t group = row * n_groups + column / n_per_group;
    return {{x_.digits_of(0) + first, x_.digits_of(1) + first, x_.digits_of(2) + first},
            x_.width,
            x_.scales.data() + row * n_runs + column / kRun,
            n_runs,
            sums.sums.data() + group,
            sums.high.data() + group,
            sums.low.data() + group,
            n_groups};
  }

  const RoundedRows& x_;
  const weights::PackedWeight& weight_;
  PackedPanel panel_;
  std::vector<float> sums_;  // [T, kPanelRows]
};

}  // namespace

RoundedRows::RoundedRows(const at::Tensor& x) : n_rows(x.size(0)), width(x.size(1)) {
  LABELPROBE_CHECK(width % kRun == 0);
  const at::Tensor wide = x.to(at::kFloat).contiguous();
  const float* from = wide.const_data_ptr<float>();
  const std::int64_t n_runs = width / kRun;
  const auto n = static_cast<std::size_t>(n_rows * n_runs);
  digits.resize(3 * n * kRun);
  scales.resize(n);
  const auto make_room = [](RunSums& sums, std::size_t n_sums) {
    sums.sums.resize(n_sums);
    sums.high.resize(n_sums);
    sums.low.resize(n_sums);
  };
  make_room(runs, n);
  make_room(halves, 2 * n);
  std::int8_t* high = digits.data();
  at::parallel_for(0, n_rows, 16, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t first = begin * n_runs;
    const std::int64_t place = first * kRun;
    const std::int64_t n_digits = n_rows * width;
    round_runs(from + place, (end - begin) * n_runs,
               {{high + place, high + n_digits + place, high + 2 * n_digits + place},
                scales.data() + first,
                runs.sums.data() + first,
                halves.sums.data() + 2 * first,
                runs.high.data() + first,
                halves.high.data() + 2 * first,
                runs.low.data() + first,
                halves.low.data() + 2 * first});
  });
}

void multiply_packed(const RoundedRows& x,
                     const weights::PackedWeight& weight,
                     const std::optional<at::Tensor>& bias,
                     at::Tensor& result) {
  RECORD_FUNCTION("labelprobe::multiply_packed", {});
  LABELPROBE_CHECK(x.width == weight.width && result.scalar_type() == at::kFloat &&
                   result.stride(1) == 1 && result.size(0) == x.n_rows &&
                   result.size(1) == weight.height);
  const float* addends = bias ? bias->const_data_ptr<float>() : nullptr;
  float* to = result.mutable_data_ptr<float>();
  const std::int64_t stride = result.stride(0);
  const std::int64_t n_panels = (weight.height + kPanelRows - 1) / kPanelRows;
  at::parallel_for(0, n_panels, 1, [&](std::int64_t begin, std::int64_t end) {
    PanelProduct product(x, weight);
    for (std::int64_t panel = begin; panel < end; ++panel) {
      const std::int64_t first = panel * kPanelRows;
      const std::int64_t n = std::min(kPanelRows, weight.height - first);
      product.compute(first);
      for (std::int64_t t = 0; t < x.n_rows; ++t) {
        for (std::int64_t i = 0; i < n; ++i) {
          to[t * stride + first + i] = product.sums(t)[i] + (addends ? addends[first + i] : 0.0F);
        }
      }
    }
  });
}

std::string_view packed_code() {
  return has_vnni() ? "VNNI" : "any processor";
}

}  // namespace labelprobe::model
