#include "model/products/four_bit_product.h"

#include <array>
#include <vector>

#include <ATen/Dispatch.h>
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/record_function.h>

#include "labelprobe/core/error.h"

#include "weights/quantized/four_bits.h"
#include "weights/quantized/four_bits_avx512.h"

namespace labelprobe::model {

#ifdef LABELPROBE_AVX512

namespace {

// With more rows than these, dequantising a tile for all of them is faster; the more so with
// bfloat16, whose products have instructions of their own.
constexpr int kFewRows = 6;
constexpr int kFewRowsOfBFloat16 = 4;

// Rows of the weight given to a thread at once.
constexpr std::int64_t kRowGrain = 32;

// A row of the weight: its codes, and the absmax of its blocks.
struct WeightRow {
  const std::uint8_t* packed;
  const float* absmax;
  std::int64_t n_blocks;
};

// The sixteen elements that the codes of a block stand for, as Real keeps them.
LABELPROBE_AVX512 inline __m512 as_kept(__m512 scaled, float /*type*/) {
  return scaled;
}

LABELPROBE_AVX512 inline __m512 as_kept(__m512 scaled, c10::BFloat16 type) {
  const __m512i bits = _mm512_cvtepu16_epi32(weights::rounded(scaled, type));
  return _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16));
}

// The dot products of the row and each of kRows rows x, which are `width` floats apart.
template <int kRows, typename Real>
LABELPROBE_AVX512 void dot(
    const float* values, const WeightRow& row, const float* x, std::int64_t width, float* result) {
  const __m512 code_values = _mm512_loadu_ps(values);
  // Two sums a row, so that one addition need not wait for the other.
  __m512 sums[kRows][2];
  for (auto& sum : sums) sum[0] = sum[1] = _mm512_setzero_ps();
  for (std::int64_t block = 0; block < row.n_blocks; ++block) {
    const __m512 scaled =
        as_kept(_mm512_mul_ps(code_values, _mm512_set1_ps(row.absmax[block])), Real{});
    const weights::CodesOfBlock codes =
        weights::unpack(row.packed + block * (weights::kFourBitBlock / 2));
    const float* elements = x + block * weights::kFourBitBlock;
    for (int quarter = 0; quarter < 4; ++quarter) {
      const __m512 weights = _mm512_permutexvar_ps(weights::quarter_of(codes, quarter), scaled);
      for (int i = 0; i < kRows; ++i) {
        const __m512 inputs = _mm512_loadu_ps(elements + i * width + 16 * quarter);
        sums[i][quarter % 2] = _mm512_fmadd_ps(weights, inputs, sums[i][quarter % 2]);
      }
    }
  }
  for (int i = 0; i < kRows; ++i) {
    result[i] = _mm512_reduce_add_ps(_mm512_add_ps(sums[i][0], sums[i][1]));
  }
}

using Dot = void (*)(const float*, const WeightRow&, const float*, std::int64_t, float*);

template <typename Real>
constexpr std::array<Dot, kFewRows + 1> kDots = {
    nullptr, dot<1, Real>, dot<2, Real>, dot<3, Real>, dot<4, Real>, dot<5, Real>, dot<6, Real>};

template <typename Real>
void multiply_rows(const at::Tensor& x,
                   const weights::QuantizedWeight& weight,
                   at::Tensor& result) {
  const auto n_rows = static_cast<std::size_t>(x.size(0));
  const at::Tensor inputs = x.to(at::kFloat);
  const float* input = inputs.const_data_ptr<float>();
  const auto* codes = weight.codes.const_data_ptr<std::uint8_t>();
  const weights::FourBitCode& code = weights::four_bit_code(weight.quantization);
  const std::int64_t n_blocks = weight.width / weights::kFourBitBlock;
  Real* output = result.mutable_data_ptr<Real>();
  const std::int64_t stride = result.stride(0);
  at::parallel_for(0, weight.height, kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> absmax(static_cast<std::size_t>(n_blocks));
    std::array<float, kFewRows> sums;
    for (std::int64_t row = begin; row < end; ++row) {
      weights::block_absmax(weight, row * n_blocks, n_blocks, absmax.data());
      const WeightRow weight_row{codes + row * weight.width / 2, absmax.data(), n_blocks};
      kDots<Real>[n_rows](code.values.data(), weight_row, input, weight.width, sums.data());
      for (std::size_t i = 0; i < n_rows; ++i) {
        output[static_cast<std::int64_t>(i) * stride + row] = static_cast<Real>(sums[i]);
      }
    }
  });
}

}  // namespace

bool can_multiply_few_rows(const at::Tensor& x, const weights::QuantizedWeight& weight) {
  const bool is_float = x.scalar_type() == at::kFloat;
  if (!is_float && x.scalar_type() != at::kBFloat16) return false;
  return weights::has_avx512() && 0 < x.size(0) &&
         x.size(0) <= (is_float ? kFewRows : kFewRowsOfBFloat16) &&
         weight.width % weights::kFourBitBlock == 0;
}

void multiply_few_rows(const at::Tensor& x,
                       const weights::QuantizedWeight& weight,
                       at::Tensor& result) {
  RECORD_FUNCTION("labelprobe::multiply_4bit", {});
  if (x.scalar_type() == at::kFloat) {
    multiply_rows<float>(x, weight, result);
  } else {
    multiply_rows<c10::BFloat16>(x, weight, result);
  }
}

#else

bool can_multiply_few_rows(const at::Tensor& /*x*/, const weights::QuantizedWeight& /*weight*/) {
  return false;
}

void multiply_few_rows(const at::Tensor& /*x*/,
                       const weights::QuantizedWeight& /*weight*/,
                       at::Tensor& /*result*/) {
  LABELPROBE_CHECK(!"a processor with AVX-512");
}

#endif

}  // namespace labelprobe::model
