// Quantised weights made floating again, in the arithmetic of bitsandbytes: every product and sum
// rounded to float32 by itself, then to the result's type.
#pragma once

#include "kernel_language.h"

namespace labelprobe::model::cuda {

constexpr int kDequantizeThreads = 256;
constexpr int kAbsmaxBlock = 64;  // elements of the flattened matrix
constexpr int kOuterBlock = 256;  // codes of absmax

template <typename T>
struct Dequantize4BitArguments {
  const std::uint8_t* codes = nullptr;  // two elements each, the earlier in the high nibble
  float levels[16] = {};                // what a nibble stands for
  const float* absmax = nullptr;        // by block; null where it is coded itself:
  const std::uint8_t* absmax_codes = nullptr;
  const float* absmax_levels = nullptr;  // [256]
  const float* outer_absmax = nullptr;
  float offset = 0;
  std::int64_t n = 0;  // elements
  T* result = nullptr;
};

template <typename T>
__global__ void __launch_bounds__(kDequantizeThreads)
    dequantize_4bit(Dequantize4BitArguments<T> a) {
  __shared__ float levels[16];
  if (threadIdx.x < 16) levels[threadIdx.x] = a.levels[threadIdx.x];
  __syncthreads();
  const std::int64_t n_bytes = (a.n + 1) / 2;
  const std::int64_t step = std::int64_t{gridDim.x} * kDequantizeThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kDequantizeThreads + threadIdx.x; i < n_bytes;
       i += step) {
    const std::int64_t block = 2 * i / kAbsmaxBlock;
    float absmax = 0;
    if (a.absmax) {
      absmax = a.absmax[block];
    } else {
      absmax = __fadd_rn(
          __fmul_rn(a.absmax_levels[a.absmax_codes[block]], a.outer_absmax[block / kOuterBlock]),
          a.offset);
    }
    const std::uint8_t code = a.codes[i];
    a.result[2 * i] = from_float<T>(__fmul_rn(levels[code >> 4], absmax));
    if (2 * i + 1 < a.n) {
      a.result[2 * i + 1] = from_float<T>(__fmul_rn(levels[code & 15], absmax));
    }
  }
}

// Rows of int8 codes: (code * absmax of the row) * (1 / 127). Blocks: x counts rows.
template <typename T>
__global__ void __launch_bounds__(kDequantizeThreads)
    dequantize_rows(const std::int8_t* codes, const float* absmax, int n_columns, T* result) {
  constexpr float kScale = 7.874015718698502e-3f;
  const std::int64_t first = std::int64_t{blockIdx.x} * n_columns;
  const float largest = absmax[blockIdx.x];
  for (int i = threadIdx.x; i < n_columns; i += kDequantizeThreads) {
    const float code = static_cast<float>(codes[first + i]);
    result[first + i] = from_float<T>(__fmul_rn(__fmul_rn(code, largest), kScale));
  }
}

}  // namespace labelprobe::model::cuda
