// Products of LLM.int8 (arXiv 2208.07339), as bitsandbytes computes them: the columns of the input
// that hold an outlier in any row are multiplied in the input's type, the others in 8 bits.
#pragma once

#include <optional>

#include <ATen/core/Tensor.h>

#include "weights/quantized/quantized_weight.h"

namespace labelprobe::model {

// x [T, in], contiguous, times an Int8 weight, plus `bias` [height] of x's type, into `result`
// [T, height] of x's type, whose rows may be apart. Which columns are outliers depends on all rows:
// rows computed together move each other by the error of 8 bits, not just by rounding.
void multiply_int8(const at::Tensor& x,
                   const weights::QuantizedWeight& weight,
                   const std::optional<at::Tensor>& bias,
                   at::Tensor& result);

// Whether the CPU's 8-bit products can be trusted: on processors without VNNI, oneDNN adds pairs of
// them in 16 bits, which overflow. multiply_int8() then takes float32 products of the codes.
bool multiplies_int8_exactly();

}  // namespace labelprobe::model
