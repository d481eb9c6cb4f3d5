#include "model/products/dot_products.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "labelprobe/core/error.h"

#include "model/products/lane_sums.h"
#include "model/products/vector_code.h"

namespace labelprobe::model {
namespace {

constexpr std::int64_t kLanes = 16;

// Rows of the input, and bytes of each, that stay in the first-level cache while all rows of the
// weight pass.
constexpr std::int64_t kRowsAtOnce = 8;
constexpr std::int64_t kRunBytes = 3072;

// For processors without AVX-512: eight sums for each product of a tile, in one register or two.
constexpr int kPlainRows = 4;
constexpr int kPlainWeights = 3;
constexpr std::int64_t kEight = 8;

typedef float Four __attribute__((vector_size(4 * sizeof(float))));
typedef float Eight __attribute__((vector_size(8 * sizeof(float))));

using PlainRows = std::array<const float*, kPlainRows>;
using PlainWeights = std::array<const float*, kPlainWeights>;

// sums [kPlainRows, kPlainWeights] of rows x with rows of the weight. Every Register gives the same
// sums, as long as a product and its addition are one step for all of them or for none.
template <typename Register>
LABELPROBE_PART inline void multiply_plain_tile(const PlainRows& x,
                                                const PlainWeights& weight,
                                                std::int64_t n_columns,
                                                float* sums) {
  constexpr std::int64_t kWidth = sizeof(Register) / sizeof(float);
  constexpr int kRegisters = kEight / kWidth;
  Register running[kPlainRows][kPlainWeights][kRegisters] = {};
  std::int64_t c = 0;
  for (; c + kEight <= n_columns; c += kEight) {
#pragma GCC unroll 2
    for (int part = 0; part < kRegisters; ++part) {
      Register columns[kPlainWeights];
#pragma GCC unroll 4
      for (int i = 0; i < kPlainWeights; ++i) {
        std::memcpy(&columns[i], weight[i] + c + part * kWidth, sizeof(Register));
      }
#pragma GCC unroll 4
      for (int t = 0; t < kPlainRows; ++t) {
        Register row;
        std::memcpy(&row, x[t] + c + part * kWidth, sizeof(Register));
#pragma GCC unroll 4
        for (int i = 0; i < kPlainWeights; ++i) running[t][i][part] += row * columns[i];
      }
    }
  }
#pragma GCC unroll 4
  for (int t = 0; t < kPlainRows; ++t) {
#pragma GCC unroll 4
    for (int i = 0; i < kPlainWeights; ++i) {
      const auto r = [&](int lane)
                         LABELPROBE_PART { return running[t][i][lane / kWidth][lane % kWidth]; };
      float sum = ((r(0) + r(4)) + (r(2) + r(6))) + ((r(1) + r(5)) + (r(3) + r(7)));
      for (std::int64_t left = c; left < n_columns; ++left) sum += x[t][left] * weight[i][left];
      sums[t * kPlainWeights + i] = sum;
    }
  }
}

using MultiplyPlainTile = void (*)(const PlainRows&, const PlainWeights&, std::int64_t, float*);

void multiply_on_any(const PlainRows& x, const PlainWeights& weight, std::int64_t n, float* sums) {
  multiply_plain_tile<Four>(x, weight, n, sums);
}

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx2,fma"))) void multiply_with_fma(const PlainRows& x,
                                                           const PlainWeights& weight,
                                                           std::int64_t n,
                                                           float* sums) {
  multiply_plain_tile<Eight>(x, weight, n, sums);
}
#endif

MultiplyPlainTile find_plain_tile() {
#if defined(__x86_64__) && defined(__GNUC__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return multiply_with_fma;
#endif
  return multiply_on_any;
}

#ifdef LABELPROBE_AVX512

constexpr int kTileRows = 4;     // of the input
constexpr int kTileWeights = 3;  // rows of the weight: 24 registers of sums, and 4 of numbers

// What a register holds.
template <typename Number>
constexpr std::int64_t kColumns = 64 / static_cast<std::int64_t>(sizeof(Number));

// A register of numbers, or the first n of them.
template <bool kIsWhole>
LABELPROBE_AVX512 inline __m512 load(const float* from, std::int64_t n) {
  if constexpr (kIsWhole) return _mm512_loadu_ps(from);
  const auto there = n > 0 ? 0xffffU >> std::max<std::int64_t>(0, kLanes - n) : 0U;
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>(there), from);
}

template <bool kIsWhole>
LABELPROBE_AVX512 inline __m512i load(const std::uint16_t* from, std::int64_t n) {
  if constexpr (kIsWhole) return _mm512_loadu_si512(from);
  const auto there = n > 0 ? ~0U >> std::max<std::int64_t>(0, 2 * kLanes - n) : 0U;
  return _mm512_maskz_loadu_epi16(there, from);
}

LABELPROBE_AVX512 inline __m512 add_product(__m512 sum, __m512 a, __m512 b) {
  return _mm512_fmadd_ps(a, b, sum);
}

LABELPROBE_AVX512_BF16 inline __m512 add_product(__m512 sum, __m512i a, __m512i b) {
  return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
}

// Adds the products of T rows of the input with N of the weight, of some columns, to the sums
// running [T, N, 2, kLanes], or sets them to those of the first columns. Whole columns fill pairs
// of registers. For float32 nothing of bfloat16 is executed.
template <bool kIsWhole, int T, int N, typename Number>
LABELPROBE_AVX512_BF16 void add_products(const Rows<Number>& x,
                                         const Rows<Number>& weight,
                                         std::int64_t n_columns,
                                         bool is_first,
                                         float* running) {
  __m512 sums[T][N][2];
#pragma GCC unroll 4
  for (int t = 0; t < T; ++t) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      const float* pair = running + (t * N + i) * 2 * kLanes;
      sums[t][i][0] = is_first ? _mm512_setzero_ps() : _mm512_loadu_ps(pair);
      sums[t][i][1] = is_first ? _mm512_setzero_ps() : _mm512_loadu_ps(pair + kLanes);
    }
  }
  for (std::int64_t first = 0; first < n_columns; first += 2 * kColumns<Number>) {
#pragma GCC unroll 2
    for (int parity = 0; parity < 2; ++parity) {
      const std::int64_t c = first + parity * kColumns<Number>;
      decltype(load<true>(x.first, 0)) columns[N];
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) {
        columns[i] = load<kIsWhole>(weight.first + i * weight.stride + c, n_columns - c);
      }
#pragma GCC unroll 4
      for (int t = 0; t < T; ++t) {
        auto row = load<kIsWhole>(x.first + t * x.stride + c, n_columns - c);
        asm("" : "+v"(row));  // loaded once, not by each product
#pragma GCC unroll 4
        for (int i = 0; i < N; ++i) {
          sums[t][i][parity] = add_product(sums[t][i][parity], columns[i], row);
        }
      }
    }
  }
#pragma GCC unroll 4
  for (int t = 0; t < T; ++t) {
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      float* pair = running + (t * N + i) * 2 * kLanes;
      _mm512_storeu_ps(pair, sums[t][i][0]);
      _mm512_storeu_ps(pair + kLanes, sums[t][i][1]);
    }
  }
}

template <int T, int N, typename Number>
void add_all_products(const Rows<Number>& x,
                      const Rows<Number>& weight,
                      std::int64_t n_columns,
                      bool is_first,
                      float* running) {
  const std::int64_t n_whole = n_columns / (2 * kColumns<Number>)*(2 * kColumns<Number>);
  add_products<true, T, N>(x, weight, n_whole, is_first, running);
  if (n_whole == n_columns) return;
  add_products<false, T, N>(Rows<Number>{x.first + n_whole, x.n, x.stride},
                            Rows<Number>{weight.first + n_whole, weight.n, weight.stride},
                            n_columns - n_whole, false, running);
}

template <typename Number>
using AddProducts = void (*)(const Rows<Number>&, const Rows<Number>&, std::int64_t, bool, float*);

template <typename Number>
constexpr AddProducts<Number> kAddProducts[kTileRows][kTileWeights] = {
    {add_all_products<1, 1, Number>, add_all_products<1, 2, Number>,
     add_all_products<1, 3, Number>},
    {add_all_products<2, 1, Number>, add_all_products<2, 2, Number>,
     add_all_products<2, 3, Number>},
    {add_all_products<3, 1, Number>, add_all_products<3, 2, Number>,
     add_all_products<3, 3, Number>},
    {add_all_products<4, 1, Number>, add_all_products<4, 2, Number>,
     add_all_products<4, 3, Number>}};

// The n sums of a tile, joined.
LABELPROBE_AVX512 void join(const float* running, int n, float* joined) {
  for (int first = 0; first < n; first += 4) {
    __m512 four[4];
    for (int i = 0; i < 4; ++i) {
      const float* pair = running + std::min(first + i, n - 1) * 2 * kLanes;
      four[i] = _mm512_add_ps(_mm512_loadu_ps(pair), _mm512_loadu_ps(pair + kLanes));
    }
    _mm_storeu_ps(joined + first, sums_of_lanes(four[0], four[1], four[2], four[3]));
  }
}

void store(float sum, float* to) {
  *to = sum;
}

void store(float sum, std::uint16_t* to) {
  *to = weights::to_bfloat16_bits(sum);
}

// Products are computed tile by tile; where rows are long, for a run of columns after the other,
// for which a tile's sums wait in memory.
constexpr std::int64_t kSumsPerTile = kTileRows * kTileWeights * 2 * kLanes;

template <typename Number>
struct Product {
  Rows<Number> x;
  Rows<Number> weight;
  const float* bias;
  Number* result;
  std::int64_t stride;
};

// The tile of rows t of the input and i of the weight; `running` are its sums.
template <typename Number>
void add_to_tile(const Product<Number>& product,
                 std::int64_t t,
                 std::int64_t i,
                 std::int64_t first_column,
                 std::int64_t n_columns,
                 float* running) {
  const Rows<Number>& x = product.x;
  const Rows<Number>& weight = product.weight;
  const std::int64_t n_rows = std::min<std::int64_t>(kTileRows, x.n - t);
  const std::int64_t n_weights = std::min<std::int64_t>(kTileWeights, weight.n - i);
  kAddProducts<Number>[n_rows - 1][n_weights - 1](
      {x.first + t * x.stride + first_column, n_rows, x.stride},
      {weight.first + i * weight.stride + first_column, n_weights, weight.stride}, n_columns,
      first_column == 0, running);
}

template <typename Number>
void finish_tile(const Product<Number>& product,
                 std::int64_t t,
                 std::int64_t i,
                 const float* running) {
  const std::int64_t n_rows = std::min<std::int64_t>(kTileRows, product.x.n - t);
  const std::int64_t n_weights = std::min<std::int64_t>(kTileWeights, product.weight.n - i);
  std::array<float, kTileRows * kTileWeights> sums;
  join(running, static_cast<int>(n_rows * n_weights), sums.data());
  for (std::int64_t r = 0; r < n_rows; ++r) {
    Number* to = product.result + (t + r) * product.stride + i;
    for (std::int64_t w = 0; w < n_weights; ++w) {
      store(sums[r * n_weights + w] + (product.bias ? product.bias[i + w] : 0.0f), to + w);
    }
  }
}

template <typename Number>
void multiply_by_tiles(const Product<Number>& product, std::int64_t n_columns) {
  static thread_local std::vector<float> running;
  constexpr std::int64_t kStep = 2 * kColumns<Number>;
  constexpr std::int64_t kMost = kRunBytes / static_cast<std::int64_t>(sizeof(Number));
  const std::int64_t n_runs = (n_columns + kMost - 1) / kMost;
  const std::int64_t n_each = ((n_columns + n_runs - 1) / n_runs + kStep - 1) / kStep * kStep;
  const std::int64_t n_tiles_down = (product.weight.n + kTileWeights - 1) / kTileWeights;
  running.resize((n_runs == 1 ? 1 : n_tiles_down * kRowsAtOnce / kTileRows) * kSumsPerTile);
  for (std::int64_t first_row = 0; first_row < product.x.n; first_row += kRowsAtOnce) {
    const std::int64_t end_row = std::min(product.x.n, first_row + kRowsAtOnce);
    for (std::int64_t column = 0; column < n_columns; column += n_each) {
      const std::int64_t n = std::min(n_each, n_columns - column);
      float* sums = running.data();
      for (std::int64_t i = 0; i < product.weight.n; i += kTileWeights) {
        for (std::int64_t t = first_row; t < end_row; t += kTileRows) {
          add_to_tile(product, t, i, column, n, sums);
          if (column + n == n_columns) finish_tile(product, t, i, sums);
          if (n_runs > 1) sums += kSumsPerTile;
        }
      }
    }
  }
}

#endif

}  // namespace

c10::ScalarType dot_type(c10::ScalarType type) {
  return type == c10::ScalarType::BFloat16 && weights::multiplies_bfloat16()
             ? type
             : c10::ScalarType::Float;
}

void multiply_rows_plainly(const Rows<float>& x,
                           const Rows<float>& weight,
                           std::int64_t n_columns,
                           const float* bias,
                           float* result,
                           std::int64_t stride) {
  static const MultiplyPlainTile multiply_tile = find_plain_tile();
  PlainRows rows;
  PlainWeights weights;
  std::array<float, kPlainRows * kPlainWeights> sums;
  for (std::int64_t t = 0; t < x.n; t += kPlainRows) {
    // Where a tile is not full its last row stands in for the others.
    for (std::int64_t r = 0; r < kPlainRows; ++r) {
      rows[r] = x.first + std::min(t + r, x.n - 1) * x.stride;
    }
    for (std::int64_t i = 0; i < weight.n; i += kPlainWeights) {
      for (std::int64_t w = 0; w < kPlainWeights; ++w) {
        weights[w] = weight.first + std::min(i + w, weight.n - 1) * weight.stride;
      }
      multiply_tile(rows, weights, n_columns, sums.data());
      for (std::int64_t r = 0; r < std::min<std::int64_t>(kPlainRows, x.n - t); ++r) {
        for (std::int64_t w = 0; w < std::min<std::int64_t>(kPlainWeights, weight.n - i); ++w) {
          result[(t + r) * stride + i + w] =
              sums[r * kPlainWeights + w] + (bias ? bias[i + w] : 0.0f);
        }
      }
    }
  }
}

void multiply_rows(const Rows<float>& x,
                   const Rows<float>& weight,
                   std::int64_t n_columns,
                   const float* bias,
                   float* result,
                   std::int64_t stride) {
#ifdef LABELPROBE_AVX512
  if (weights::has_avx512()) {
    multiply_by_tiles(Product<float>{x, weight, bias, result, stride}, n_columns);
    return;
  }
#endif
  multiply_rows_plainly(x, weight, n_columns, bias, result, stride);
}

void multiply_rows([[maybe_unused]] const Rows<std::uint16_t>& x,
                   [[maybe_unused]] const Rows<std::uint16_t>& weight,
                   [[maybe_unused]] std::int64_t n_columns,
                   [[maybe_unused]] const float* bias,
                   [[maybe_unused]] std::uint16_t* result,
                   [[maybe_unused]] std::int64_t stride) {
  LABELPROBE_CHECK(weights::multiplies_bfloat16());
#ifdef LABELPROBE_AVX512
  multiply_by_tiles(Product<std::uint16_t>{x, weight, bias, result, stride}, n_columns);
#endif
}

}  // namespace labelprobe::model
