// The product of a few rows with a weight in 4 bits, straight from its codes: as long as the
// weight's memory is what takes the time, reading an eighth of it does.
#pragma once

#include <optional>

#include <ATen/core/Tensor.h>

#include "weights/quantized/quantized_weight.h"

namespace labelprobe::model {

// Whether this processor, these rows x [T, in] and this weight suit multiply_few_rows().
bool can_multiply_few_rows(const at::Tensor& x, const weights::QuantizedWeight& weight);

// x [T, in], contiguous, times the weight dequantised to x's type, plus the bias, into `result`
// [T, height] of x's type, whose rows may be apart. The bits are those of multiply_by_tiles().
void multiply_few_rows(const at::Tensor& x,
                       const weights::QuantizedWeight& weight,
                       const std::optional<at::Tensor>& bias,
                       at::Tensor& result);

}  // namespace labelprobe::model
