#include "model/products/int8_product.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/record_function.h>

#include "weights/device/bfloat16.h"
#include "weights/device/processor.h"

namespace labelprobe::model {
namespace {

// Elements of this magnitude and larger are outliers.
constexpr float kThreshold = 6.0F;

// 1 / 127 and 1 / 127^2, in the reference's digits.
constexpr double kStep = 7.874015718698502e-3;
constexpr float kStepSquared = 6.200124e-05F;

// Rows given to a thread at once.
constexpr std::int64_t kRowGrain = 4;

// The input without its outliers.
struct QuantizedRows {
  at::Tensor codes;   // int8 [T, in]; 0 in the columns of outliers
  at::Tensor absmax;  // float32 [T], of all elements that are no outliers
};

// `is_kept` [n] is 0 in the columns of outliers and 1 in all others.
LABELPROBE_FOR_EACH_PROCESSOR
void quantize_row(
    const float* x, const float* is_kept, std::int64_t n, float* absmax, std::int8_t* codes) {
  float largest = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const float magnitude = x[i] < 0 ? -x[i] : x[i];
    largest = std::max(largest, magnitude < kThreshold ? magnitude : 0.0F);
  }
  *absmax = largest;
  // A row of zeros has codes 0 whatever it is multiplied by.
  const float factor = largest == 0 ? 0.0F : (1.0F / largest) * 127.0F;
  // Adding 1.5 * 2^23 rounds to an integer, half to even, and leaves it in the lowest bits.
  constexpr float kRounder = 12582912.0F;
  for (std::int64_t i = 0; i < n; ++i) {
    const float level = x[i] * factor * is_kept[i];
    codes[i] = static_cast<std::int8_t>(std::bit_cast<std::int32_t>(level + kRounder));
  }
}

QuantizedRows quantize_rows_on_cpu(const at::Tensor& x, const at::Tensor& is_outlier_column) {
  RECORD_FUNCTION("labelprobe::quantize_rows", {});
  const std::int64_t width = x.size(1);
  QuantizedRows rows{at::empty(x.sizes(), at::kChar), at::empty({x.size(0)}, at::kFloat)};
  const at::Tensor kept = is_outlier_column.logical_not().to(at::kFloat);
  const float* inputs = x.const_data_ptr<float>();
  const float* is_kept = kept.const_data_ptr<float>();
  auto* codes = rows.codes.mutable_data_ptr<std::int8_t>();
  auto* absmax = rows.absmax.mutable_data_ptr<float>();
  at::parallel_for(0, x.size(0), kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      quantize_row(inputs + row * width, is_kept, width, absmax + row, codes + row * width);
    }
  });
  return rows;
}

QuantizedRows quantize_rows(const at::Tensor& x, const at::Tensor& is_outlier_column) {
  if (x.is_cpu()) return quantize_rows_on_cpu(x, is_outlier_column);
  const at::Tensor inliers = x.masked_fill(x.abs().ge(kThreshold), 0);
  const at::Tensor absmax = inliers.abs().amax(1);
  const at::Tensor factor = absmax.reciprocal().mul_(127.0).masked_fill_(absmax.eq(0), 0);
  const at::Tensor levels =
      inliers.mul(factor.unsqueeze(1)).masked_fill_(is_outlier_column, 0).round_();
  return {levels.to(at::kChar), absmax};
}

// Products of two codes are at most 127^2, and float32 holds their sums exactly up to 2^24.
constexpr std::int64_t kExactColumns = 1024;

// The sums of integers, by float32 products: slow, and exact on every processor.
at::Tensor multiply_in_floats(const at::Tensor& rows, const at::Tensor& weight) {
  at::Tensor sums = at::zeros({rows.size(0), weight.size(0)}, at::kInt);
  for (std::int64_t first = 0; first < rows.size(1); first += kExactColumns) {
    const std::int64_t n = std::min(kExactColumns, rows.size(1) - first);
    sums.add_(at::mm(rows.narrow(1, first, n).to(at::kFloat),
                     weight.narrow(1, first, n).to(at::kFloat).t())
                  .to(at::kInt));
  }
  return sums;
}

// int32 [T, height]. CUDA multiplies only more than 16 rows, a multiple of 8.
at::Tensor multiply_codes(const at::Tensor& rows, const at::Tensor& weight) {
  if (rows.is_cpu()) {
    return multiplies_int8_exactly() ? at::_int_mm(rows, weight.t())
                                     : multiply_in_floats(rows, weight);
  }
  const std::int64_t n_rows = rows.size(0);
  const std::int64_t n_padded = std::max<std::int64_t>(24, (n_rows + 7) / 8 * 8);
  if (n_padded == n_rows) return at::_int_mm(rows, weight.t());
  const at::Tensor padded = at::constant_pad_nd(rows, {0, 0, 0, n_padded - n_rows});
  return at::_int_mm(padded, weight.t()).narrow(0, 0, n_rows);
}

// A row of integer sums, and what is needed to say what they stand for.
struct ScaledRow {
  const std::int32_t* sums;
  float row_absmax;
  const float* absmax;  // of the weight
  const float* bias;
  std::int64_t n;

  float at(std::int64_t i) const {
    return static_cast<float>(sums[i]) * (row_absmax * absmax[i]) * kStepSquared + bias[i];
  }
};

LABELPROBE_FOR_EACH_PROCESSOR
void write(const ScaledRow& row, float* result) {
  for (std::int64_t i = 0; i < row.n; ++i) result[i] = row.at(i);
}

LABELPROBE_FOR_EACH_PROCESSOR
void write(const ScaledRow& row, c10::BFloat16* result) {
  for (std::int64_t i = 0; i < row.n; ++i) result[i] = weights::round_to_bfloat16(row.at(i));
}

// The rows of `result` may be apart.
template <typename Real>
void scale_on_cpu(const at::Tensor& sums,
                  const at::Tensor& row_absmax,
                  const at::Tensor& absmax,
                  const at::Tensor& bias,
                  at::Tensor& result) {
  RECORD_FUNCTION("labelprobe::scale_sums", {});
  const std::int64_t n = sums.size(1);
  const auto* sum = sums.const_data_ptr<std::int32_t>();
  const auto* rows = row_absmax.const_data_ptr<float>();
  auto* results = result.mutable_data_ptr<Real>();
  const std::int64_t stride = result.stride(0);
  at::parallel_for(0, sums.size(0), kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const ScaledRow scaled{sum + row * n, rows[row], absmax.const_data_ptr<float>(),
                             bias.const_data_ptr<float>(), n};
      write(scaled, results + row * stride);
    }
  });
}

// What the integer sums stand for, plus the bias, into `result` [T, height].
void scale(const at::Tensor& sums,
           const at::Tensor& row_absmax,
           const weights::QuantizedWeight& weight,
           const std::optional<at::Tensor>& bias,
           at::Tensor& result) {
  const at::Tensor addend =
      bias ? bias->to(at::kFloat).contiguous() : at::zeros({weight.height}, row_absmax.options());
  const bool has_loop = sums.is_cpu() && result.stride(1) == 1;
  if (has_loop && result.scalar_type() == at::kFloat) {
    scale_on_cpu<float>(sums, row_absmax, weight.absmax, addend, result);
  } else if (has_loop && result.scalar_type() == at::kBFloat16) {
    scale_on_cpu<c10::BFloat16>(sums, row_absmax, weight.absmax, addend, result);
  } else {
    const at::Tensor scales = row_absmax.unsqueeze(1) * weight.absmax.unsqueeze(0);
    result.copy_(sums.mul(scales).mul_(kStepSquared).add_(addend));
  }
}

}  // namespace

bool multiplies_int8_exactly() {
  static const bool is_exact = [] {
    const at::Tensor largest = at::full({32, 64}, 127, at::kChar);
    const at::Tensor sums = at::_int_mm(largest, largest.neg().t());
    return at::_int_mm(largest, largest.t()).eq(64 * 127 * 127).all().item<bool>() &&
           sums.eq(-64 * 127 * 127).all().item<bool>();
  }();
  return is_exact;
}

void multiply_int8(const at::Tensor& x,
                   const weights::QuantizedWeight& weight,
                   const std::optional<at::Tensor>& bias,
                   at::Tensor& result) {
  // The reference takes the codes from float16, whatever the input is.
  const at::Tensor inputs = x.to(at::kHalf).to(at::kFloat);
  const at::Tensor is_outlier_column = inputs.abs().amax(0).ge(kThreshold);
  const QuantizedRows rows = quantize_rows(inputs, is_outlier_column);
  const at::Tensor sums = multiply_codes(rows.codes, weight.codes);
  scale(sums, rows.absmax, weight, bias, result);
  const at::Tensor outliers = is_outlier_column.nonzero().view({-1});
  if (outliers.numel() == 0) return;
  const at::Tensor columns = weight.codes.index_select(1, outliers)
                                 .to(at::kFloat)
                                 .mul_(weight.absmax.unsqueeze(1))
                                 .mul_(kStep)
                                 .to(x.scalar_type());
  result.addmm_(x.index_select(1, outliers), columns.t());
}

}  // namespace labelprobe::model
