// A weight matrix in 4 or 8 bits, in the codes and layout of bitsandbytes: the numbers are
// bit-equal to its own. Source: bitsandbytes 0.45 and newer, functional.py and its CPU back end.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "labelprobe/model/language_model.h"

namespace labelprobe::model {

struct QuantizedWeight {
  Quantization quantization = Quantization::None;
  std::int64_t height = 0;  // [height, width], row-major
  std::int64_t width = 0;
  // 4 bits: uint8 [(height * width + 1) / 2], the earlier element in the high nibble.
  // Int8: int8 [height, width].
  at::Tensor codes;
  // 4 bits: float32 [blocks of 64 elements of the flattened matrix]; undefined for Nf4Double.
  // Int8: float32 [height], the absmax of each row.
  at::Tensor absmax;
  // Nf4Double only: absmax = absmax_map[absmax_codes] * outer_absmax[block of 256] + offset.
  at::Tensor absmax_codes;  // uint8 [blocks of 64]
  at::Tensor absmax_map;    // float32 [256]
  at::Tensor outer_absmax;  // float32 [blocks of 256 absmax codes]
  float offset = 0.0F;
};

// Of a float32, bfloat16 or float16 matrix on the CPU.
QuantizedWeight quantize(const at::Tensor& weight, Quantization quantization);

// Into `result` [height, width] on the weight's device, of any floating type; every element is
// computed in float32 and then rounded.
void dequantize(const QuantizedWeight& weight, at::Tensor& result);

}  // namespace labelprobe::model
