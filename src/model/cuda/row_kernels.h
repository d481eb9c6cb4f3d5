// The steps between matrix products that libtorch does in several passes over memory, one pass
// each; they round where its operators would.
//   T  rows   C  columns   H  heads   D  head size   F  intermediate size
#pragma once

#include "model/cuda/kernel_language.h"

namespace labelprobe::model::cuda {

constexpr int kRowThreads = 256;

// The sum over all threads of the block, the same in each.
__device__ inline float sum_over_block(float x) {
  __shared__ float sums[kRowThreads / kWarp];
  x = sum_over(x, kWarp);
  __syncthreads();
  if (threadIdx.x % kWarp == 0) sums[threadIdx.x / kWarp] = x;
  __syncthreads();
  float total = 0;
  for (int i = 0; i < kRowThreads / kWarp; ++i) total += sums[i];
  return total;
}

// result [T, C] = x [T, C] over its root mean square, rounded, times weight [C]. One block per row.
//   is_aligned  rows of x, the weight and rows of the result may be read sixteen bytes at once
template <typename T>
__global__ void __launch_bounds__(kRowThreads) rms_norm_rows(const T* x,
                                                             std::int64_t stride,
                                                             const float* weight,
                                                             float epsilon,
                                                             int n_columns,
                                                             bool is_aligned,
                                                             T* result) {
  constexpr int kSize = Vector<T>::kSize;
  const T* from = x + blockIdx.x * stride;
  T* to = result + std::int64_t{blockIdx.x} * n_columns;
  const int n_whole = is_aligned ? n_columns / kSize * kSize : 0;
  float squares = 0;
  for (int i = threadIdx.x * kSize; i < n_whole; i += kRowThreads * kSize) {
    const auto vector = *reinterpret_cast<const Vector<T>*>(from + i);
#pragma unroll
    for (int j = 0; j < kSize; ++j) {
      const float value = to_float(vector.values[j]);
      squares += value * value;
    }
  }
  for (int i = n_whole + threadIdx.x; i < n_columns; i += kRowThreads) {
    const float value = to_float(from[i]);
    squares += value * value;
  }
  const float mean = sum_over_block(squares) / static_cast<float>(n_columns);
  const float scale = 1.0f / sqrtf(mean + epsilon);
  const auto norm = [scale](T value, float factor) {
    const float normed = to_float(from_float<T>(to_float(value) * scale));
    return from_float<T>(normed * to_float(from_float<T>(factor)));
  };
  for (int i = threadIdx.x * kSize; i < n_whole; i += kRowThreads * kSize) {
    auto vector = *reinterpret_cast<const Vector<T>*>(from + i);
    constexpr int kWide = Vector<float>::kSize;
    Vector<float> factors[kSize / kWide];
#pragma unroll
    for (int j = 0; j < kSize / kWide; ++j) {
      factors[j] = reinterpret_cast<const Vector<float>*>(weight + i)[j];
    }
#pragma unroll
    for (int j = 0; j < kSize; ++j) {
      vector.values[j] = norm(vector.values[j], factors[j / kWide].values[j % kWide]);
    }
    *reinterpret_cast<Vector<T>*>(to + i) = vector;
  }
  for (int i = n_whole + threadIdx.x; i < n_columns; i += kRowThreads) {
    to[i] = norm(from[i], weight[i]);
  }
}

template <typename T>
struct RotateArguments {
  T* heads = nullptr;  // [T, H, D]: queries, then keys, then values, each as many heads as below
  const float* cosines = nullptr;  // [T, D/2]
  const float* sines = nullptr;
  // Where keys and values go; null = they stay in `heads`, rotated there.
  T* keys = nullptr;  // [N, K, D]
  T* values = nullptr;
  const std::int64_t* arena_rows = nullptr;  // [T]
  std::int64_t stride = 0;                   // of rows of `heads`
  std::int64_t key_stride = 0;
  std::int64_t value_stride = 0;
  int n_queries = 0;  // heads
  int n_keys = 0;
  int n_values = 0;  // as many as keys, or none
  int head_size = 0;
};

// Rotates the pairs (i, i + D/2) of queries and keys, and puts keys and values into the arena.
// One block per row.
template <typename T>
__global__ void __launch_bounds__(kRowThreads) rotate_rows(RotateArguments<T> a) {
  const std::int64_t row = blockIdx.x;
  const int half = a.head_size / 2;
  T* heads = a.heads + row * a.stride;
  const std::int64_t arena_row = a.keys ? a.arena_rows[row] : 0;
  for (int i = threadIdx.x; i < (a.n_queries + a.n_keys) * half; i += kRowThreads) {
    const int head = i / half;
    const int pair = i % half;
    const float cosine = a.cosines[row * half + pair];
    const float sine = a.sines[row * half + pair];
    const T* from = heads + head * a.head_size + pair;
    const float left = to_float(from[0]);
    const float right = to_float(from[half]);
    T* to = heads + head * a.head_size + pair;
    if (a.keys && head >= a.n_queries) {
      to = a.keys + arena_row * a.key_stride + (head - a.n_queries) * a.head_size + pair;
    }
    to[0] = from_float<T>(left * cosine - right * sine);
    to[half] = from_float<T>(right * cosine + left * sine);
  }
  if (!a.keys) return;
  const T* from = heads + (a.n_queries + a.n_keys) * a.head_size;
  T* to = a.values + arena_row * a.value_stride;
  for (int i = threadIdx.x; i < a.n_values * a.head_size; i += kRowThreads) to[i] = from[i];
}

// What one block of gate_rows() takes of a row.
template <typename T>
constexpr int kGateColumns = kRowThreads* Vector<T>::kSize;

template <typename T>
__device__ T gated(T gate, T up) {
  const float x = to_float(gate);
  const float silu = to_float(from_float<T>(x / (1.0f + expf(-x))));
  return from_float<T>(silu * to_float(up));
}

// result [T, F] = silu(gate), rounded, times up, of gate_up [T, 2 F]. Blocks: x counts rows, y
// groups of kGateColumns columns.
//   is_aligned  gates, ups and results may be read sixteen bytes at once, and F is a whole number
//               of such pieces
template <typename T>
__global__ void __launch_bounds__(kRowThreads)
    gate_rows(const T* gate_up, std::int64_t stride, int width, bool is_aligned, T* result) {
  constexpr int kSize = Vector<T>::kSize;
  const T* from = gate_up + blockIdx.x * stride;
  T* to = result + std::int64_t{blockIdx.x} * width;
  const int first = blockIdx.y * kGateColumns<T>;
  if (is_aligned) {
    const int column = first + threadIdx.x * kSize;
    if (column >= width) return;
    auto vector = *reinterpret_cast<const Vector<T>*>(from + column);
    const auto ups = *reinterpret_cast<const Vector<T>*>(from + width + column);
#pragma unroll
    for (int j = 0; j < kSize; ++j) vector.values[j] = gated(vector.values[j], ups.values[j]);
    *reinterpret_cast<Vector<T>*>(to + column) = vector;
    return;
  }
  const int end = min(width, first + kGateColumns<T>);
  for (int column = first + threadIdx.x; column < end; column += kRowThreads) {
    to[column] = gated(from[column], from[width + column]);
  }
}

}  // namespace labelprobe::model::cuda
