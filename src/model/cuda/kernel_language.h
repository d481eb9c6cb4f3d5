// What the kernels are written in: CUDA, or, for the test that runs them without a GPU, stand-ins
// of its own (host_threads.h, found beside the test).
#pragma once

#include <cmath>
#include <cstdint>

#if defined(__CUDACC__)
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#else
#include "host_threads.h"
#endif

namespace labelprobe::model::cuda {

#if defined(__CUDACC__)
// The block's shared memory, as much as the launch asked for.
#define LABELPROBE_SHARED_FLOATS(name) extern __shared__ float name[]

using Bf16 = __nv_bfloat16;
using Fp16 = __half;

__device__ inline float to_float(float x) {
  return x;
}
__device__ inline float to_float(Bf16 x) {
  return __bfloat162float(x);
}
__device__ inline float to_float(Fp16 x) {
  return __half2float(x);
}

// Rounded to nearest even.
template <typename T>
__device__ T from_float(float x);
template <>
__device__ inline float from_float<float>(float x) {
  return x;
}
template <>
__device__ inline Bf16 from_float<Bf16>(float x) {
  return __float2bfloat16_rn(x);
}
template <>
__device__ inline Fp16 from_float<Fp16>(float x) {
  return __float2half_rn(x);
}
#endif

constexpr int kWarp = 32;

// Sixteen bytes, read at once.
template <typename T>
struct alignas(16) Vector {
  static constexpr int kSize = 16 / sizeof(T);
  T values[kSize];
};

// The same number in every thread of `width` neighbours, in an order of additions that never
// changes.
__device__ inline float sum_over(float x, int width) {
  for (int distance = width / 2; distance > 0; distance /= 2) {
    x += __shfl_xor_sync(0xffffffffu, x, distance);
  }
  return x;
}

__device__ inline float max_over(float x, int width) {
  for (int distance = width / 2; distance > 0; distance /= 2) {
    x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, distance));
  }
  return x;
}

}  // namespace labelprobe::model::cuda
