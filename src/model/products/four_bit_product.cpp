#include "model/products/four_bit_product.h"

#include <array>
#include <vector>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/record_function.h>

#include "labelprobe/core/error.h"

#include "model/products/lane_sums.h"
#include "weights/quantized/four_bits.h"
#include "weights/quantized/four_bits_avx512.h"

namespace labelprobe::model {

#ifdef LABELPROBE_AVX512

namespace {

// With more rows than these, unpacking some rows of the weight for all of them is faster.
constexpr int kFewRows = 6;

// Rows of the weight given to a thread at once.
constexpr std::int64_t kRowGrain = 32;

// A row of the weight: its codes, and the absmax of its blocks.
struct WeightRow {
  const std::uint8_t* packed;
  const float* absmax;
  std::int64_t n_blocks;
};

// The dot products of the row and each of kRows rows x, which are `width` numbers apart, in the
// order of dot_products.h: even and odd sixteens of float32.
template <int kRows>
LABELPROBE_AVX512 void dot(
    const float* values, const WeightRow& row, const float* x, std::int64_t width, float* result) {
  const __m512 code_values = _mm512_loadu_ps(values);
  __m512 sums[kRows][2];
  for (auto& sum : sums) sum[0] = sum[1] = _mm512_setzero_ps();
  for (std::int64_t block = 0; block < row.n_blocks; ++block) {
    const __m512 scaled = _mm512_mul_ps(code_values, _mm512_set1_ps(row.absmax[block]));
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
    result[i] = sum_of_lanes(_mm512_add_ps(sums[i][0], sums[i][1]));
  }
}

// The same with halves of a block, as pairs of bfloat16.
template <int kRows>
LABELPROBE_AVX512_BF16 void dot(const float* values,
                                const WeightRow& row,
                                const c10::BFloat16* x,
                                std::int64_t width,
                                float* result) {
  const __m512 code_values = _mm512_loadu_ps(values);
  __m512 sums[kRows][2];
  for (auto& sum : sums) sum[0] = sum[1] = _mm512_setzero_ps();
  for (std::int64_t block = 0; block < row.n_blocks; ++block) {
    const __m256i rounded = weights::rounded(
        _mm512_mul_ps(code_values, _mm512_set1_ps(row.absmax[block])), c10::BFloat16());
    const __m512i of_codes = _mm512_castsi256_si512(rounded);
    const weights::CodesOfBlock codes =
        weights::unpack(row.packed + block * (weights::kFourBitBlock / 2));
    const c10::BFloat16* elements = x + block * weights::kFourBitBlock;
    for (int half = 0; half < 2; ++half) {
      const auto weights = reinterpret_cast<__m512bh>(
          _mm512_permutexvar_epi16(weights::half_of(codes, half), of_codes));
      for (int i = 0; i < kRows; ++i) {
        const auto inputs =
            reinterpret_cast<__m512bh>(_mm512_loadu_si512(elements + i * width + 32 * half));
        sums[i][half] = _mm512_dpbf16_ps(sums[i][half], weights, inputs);
      }
    }
  }
  for (int i = 0; i < kRows; ++i) {
    result[i] = sum_of_lanes(_mm512_add_ps(sums[i][0], sums[i][1]));
  }
}

template <typename Real>
using Dot = void (*)(const float*, const WeightRow&, const Real*, std::int64_t, float*);

template <typename Real>
constexpr std::array<Dot<Real>, kFewRows + 1> kDots = {nullptr, dot<1>, dot<2>, dot<3>,
                                                       dot<4>,  dot<5>, dot<6>};

template <typename Real>
void multiply_rows(const at::Tensor& x,
                   const weights::QuantizedWeight& weight,
                   const float* bias,
                   at::Tensor& result) {
  const auto n_rows = static_cast<std::size_t>(x.size(0));
  const Real* input = x.const_data_ptr<Real>();
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
        output[static_cast<std::int64_t>(i) * stride + row] =
            static_cast<Real>(sums[i] + (bias ? bias[row] : 0.0F));
      }
    }
  });
}

}  // namespace

bool can_multiply_few_rows(const at::Tensor& x, const weights::QuantizedWeight& weight) {
  const bool is_multiplied = x.scalar_type() == at::kFloat ||
                             (x.scalar_type() == at::kBFloat16 && weights::multiplies_bfloat16());
  return is_multiplied && weights::has_avx512() && 0 < x.size(0) && x.size(0) <= kFewRows &&
         weight.width % weights::kFourBitBlock == 0;
}

void multiply_few_rows(const at::Tensor& x,
                       const weights::QuantizedWeight& weight,
                       const std::optional<at::Tensor>& bias,
                       at::Tensor& result) {
  RECORD_FUNCTION("labelprobe::multiply_4bit", {});
  const at::Tensor wide = bias ? bias->to(at::kFloat).contiguous() : at::Tensor();
  const float* addends = bias ? wide.const_data_ptr<float>() : nullptr;
  if (x.scalar_type() == at::kFloat) {
    multiply_rows<float>(x, weight, addends, result);
  } else {
    multiply_rows<c10::BFloat16>(x, weight, addends, result);
  }
}

#else

bool can_multiply_few_rows(const at::Tensor& /*x*/, const weights::QuantizedWeight& /*weight*/) {
  return false;
}

void multiply_few_rows(const at::Tensor& /*x*/,
                       const weights::QuantizedWeight& /*weight*/,
                       const std::optional<at::Tensor>& /*bias*/,
                       at::Tensor& /*result*/) {
  LABELPROBE_CHECK(!"a processor with AVX-512");
}

#endif

}  // namespace labelprobe::model
