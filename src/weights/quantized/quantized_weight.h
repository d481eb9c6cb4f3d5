// A weight matrix in 4 or 8 bits, in the codes and layout of bitsandbytes: the numbers are
// bit-equal to its own. Source: bitsandbytes 0.50, functional.py and its CPU back end; where its
// CUDA kernels break ties another way, we follow the CPU.
// Quantising and the plain arithmetic; quantized_linear.h multiplies.
#pragma once

#include <cstddef>
#include <cstdint>

#include <ATen/core/Tensor.h>

#include "labelprobe/weights/precision.h"

namespace labelprobe::weights {

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

// Quantizes a float32, bfloat16 or float16 matrix on the CPU. Int8 rounds it to float16 first, as
// the reference does. The number of threads changes nothing.
QuantizedWeight quantize(const at::Tensor& weight, Quantization quantization);

// Into `result` [height, width], contiguous, on the weight's device, float32, bfloat16 or float16;
// every element is computed in float32 and then rounded.
void dequantize(const QuantizedWeight& weight, at::Tensor& result);

// The rows from `first_row` on, into `rows` [n, width]; otherwise as dequantize(). On the CPU only.
void dequantize_rows(const QuantizedWeight& weight, std::int64_t first_row, at::Tensor& rows);

// What dequantize() does, in tensor operators of any device and with the same bits: for devices
// without a kernel of their own, and to check those kernels against.
void dequantize_with_operators(const QuantizedWeight& weight, at::Tensor& result);

// The absmax of `n_blocks` 4-bit blocks in float32, restored if it is itself quantised; on the CPU.
void block_absmax(const QuantizedWeight& weight,
                  std::int64_t first_block,
                  std::int64_t n_blocks,
                  float* result);

// The memory of all tensors of a quantised [height, width] matrix; 0 for None and Gguf.
std::size_t quantized_bytes(std::int64_t height, std::int64_t width, Quantization quantization);

}  // namespace labelprobe::weights
