// The 8-bit code in which bitsandbytes keeps the absmax of 4-bit blocks (its "dynamic map").
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace labelprobe::weights {

// Codes that share an outer absmax.
constexpr std::int64_t kDynamicBlock = 256;

// What the 256 codes mean, as a share of the block's absmax: float32 [256], ascending.
const at::Tensor& dynamic_map();

struct DynamicCodes {
  at::Tensor codes;   // uint8 [n]
  at::Tensor absmax;  // float32 [blocks of kDynamicBlock]
};

// The codes of float32 [n] on the CPU. A code is looked up by the share's place among 65536 even
// steps, as the reference does it, and so is not always the nearest.
DynamicCodes quantize_with_dynamic_map(const at::Tensor& x);

// The mean of the absmax that are quantised again, summed by one thread: several would sum in
// another order. Called outside of parallel regions.
at::Tensor mean_of_absmax(const at::Tensor& absmax);

}  // namespace labelprobe::weights
