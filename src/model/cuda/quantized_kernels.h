// Quantised weights made floating again, in the arithmetic of bitsandbytes: every product and sum
// rounded to float32 by itself, then to the result's type.
#pragma once

#include "model/cuda/kernel_language.h"

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
  bool is_aligned = false;  // codes to four bytes, the result to sixteen
};

// The absmax of a block of kAbsmaxBlock elements.
template <typename T>
__device__ float absmax_of(const Dequantize4BitArguments<T>& a, std::int64_t block) {
  if (a.absmax) return a.absmax[block];
  return __fadd_rn(
      __fmul_rn(a.absmax_levels[a.absmax_codes[block]], a.outer_absmax[block / kOuterBlock]),
      a.offset);
}

// A thread takes four bytes at a time, eight elements of one block, where is_aligned says that they
// and what they become lie so that they can be read and written at once; else one byte.
template <typename T>
__global__ void __launch_bounds__(kDequantizeThreads)
    dequantize_4bit(Dequantize4BitArguments<T> a) {
  __shared__ float levels[16];
#pragma unroll
  for (int i = 0; i < 16; ++i) {
    if (static_cast<int>(threadIdx.x) == i) levels[i] = a.levels[i];
  }
  __syncthreads();
  const std::int64_t start = std::int64_t{blockIdx.x} * kDequantizeThreads + threadIdx.x;
  const std::int64_t step = std::int64_t{gridDim.x} * kDequantizeThreads;
  const std::int64_t n_eights = a.is_aligned ? a.n / 8 : 0;
  for (std::int64_t i = start; i < n_eights; i += step) {
    const float absmax = absmax_of(a, 8 * i / kAbsmaxBlock);
    const std::uint32_t codes = reinterpret_cast<const std::uint32_t*>(a.codes)[i];
    constexpr int kSize = Vector<T>::kSize;
#pragma unroll
    for (int first = 0; first < 8; first += kSize) {
      Vector<T> vector;
#pragma unroll
      for (int j = 0; j < kSize; ++j) {
        // The earlier element of a byte is its high half.
        const int element = first + j;
        const std::uint32_t code = codes >> (8 * (element / 2) + (element % 2 == 0 ? 4 : 0));
        vector.values[j] = from_float<T>(__fmul_rn(levels[code & 15], absmax));
      }
      *reinterpret_cast<Vector<T>*>(a.result + 8 * i + first) = vector;
    }
  }
  const std::int64_t n_bytes = (a.n + 1) / 2;
  for (std::int64_t i = 4 * n_eights + start; i < n_bytes; i += step) {
    const float absmax = absmax_of(a, 2 * i / kAbsmaxBlock);
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
