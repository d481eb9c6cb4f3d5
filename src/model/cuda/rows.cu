#include <algorithm>
#include <cstdint>

#include <cuda_runtime.h>

#include "model/cuda/launchers.h"
#include "model/cuda/quantized_kernels.h"
#include "model/cuda/reading_kernel.h"
#include "model/cuda/row_kernels.h"

namespace labelprobe::model::cuda {
namespace {

// Calls `launch` with a value of the type, and returns what queueing its kernel gave.
template <typename Launch>
int with_type(Type type, const Launch& launch) {
  switch (type) {
    case Type::Float32:
      launch(float{});
      break;
    case Type::BFloat16:
      launch(Bf16{});
      break;
    case Type::Float16:
      launch(Fp16{});
      break;
  }
  return cudaGetLastError();
}

// Whether all rows begin where sixteen bytes can be read at once.
template <typename T>
bool is_aligned(const T* first, std::int64_t stride) {
  return reinterpret_cast<std::uintptr_t>(first) % 16 == 0 && stride % Vector<T>::kSize == 0;
}

}  // namespace

int launch_rms_norm(Type type,
                    const void* x,
                    std::int64_t stride,
                    const float* weight,
                    float epsilon,
                    int n_rows,
                    int n_columns,
                    void* result,
                    void* stream) {
  if (n_rows == 0) return cudaSuccess;
  return with_type(type, [&](auto zero) {
    using T = decltype(zero);
    const auto* from = static_cast<const T*>(x);
    auto* to = static_cast<T*>(result);
    const bool has_vectors =
        is_aligned(from, stride) && is_aligned(to, n_columns) && is_aligned(weight, 0);
    rms_norm_rows<T><<<n_rows, kRowThreads, 0, static_cast<cudaStream_t>(stream)>>>(
        from, stride, weight, epsilon, n_columns, has_vectors, to);
  });
}

int launch_rotate(const RotateLaunch& launch, void* stream) {
  if (launch.n_rows == 0) return cudaSuccess;
  return with_type(launch.type, [&](auto zero) {
    using T = decltype(zero);
    RotateArguments<T> arguments;
    arguments.heads = static_cast<T*>(launch.heads);
    arguments.cosines = launch.cosines;
    arguments.sines = launch.sines;
    arguments.keys = static_cast<T*>(launch.keys);
    arguments.values = static_cast<T*>(launch.values);
    arguments.arena_rows = launch.arena_rows;
    arguments.stride = launch.stride;
    arguments.key_stride = launch.key_stride;
    arguments.value_stride = launch.value_stride;
    arguments.n_queries = launch.n_queries;
    arguments.n_keys = launch.n_keys;
    arguments.n_values = launch.n_values;
    arguments.head_size = launch.head_size;
    rotate_rows<T><<<launch.n_rows, kRowThreads, 0, static_cast<cudaStream_t>(stream)>>>(arguments);
  });
}

int launch_gate(Type type,
                const void* gate_up,
                std::int64_t stride,
                int n_rows,
                int width,
                void* result,
                void* stream) {
  if (n_rows == 0) return cudaSuccess;
  return with_type(type, [&](auto zero) {
    using T = decltype(zero);
    const auto* from = static_cast<const T*>(gate_up);
    auto* to = static_cast<T*>(result);
    const bool has_vectors = is_aligned(from, stride) && is_aligned(to, width);
    const dim3 blocks(n_rows, (width + kGateColumns<T> - 1) / kGateColumns<T>);
    gate_rows<T><<<blocks, kRowThreads, 0, static_cast<cudaStream_t>(stream)>>>(from, stride, width,
                                                                                has_vectors, to);
  });
}

int launch_dequantize_4bit(const Dequantize4BitLaunch& launch, void* stream) {
  if (launch.n == 0) return cudaSuccess;
  return with_type(launch.type, [&](auto zero) {
    using T = decltype(zero);
    Dequantize4BitArguments<T> arguments;
    arguments.codes = launch.codes;
    std::copy_n(launch.levels, 16, arguments.levels);
    arguments.absmax = launch.absmax;
    arguments.absmax_codes = launch.absmax_codes;
    arguments.absmax_levels = launch.absmax_levels;
    arguments.outer_absmax = launch.outer_absmax;
    arguments.offset = launch.offset;
    arguments.n = launch.n;
    arguments.result = static_cast<T*>(launch.result);
    arguments.is_aligned =
        is_aligned(arguments.result, 0) && reinterpret_cast<std::uintptr_t>(launch.codes) % 4 == 0;
    const std::int64_t n_per_thread = arguments.is_aligned ? 8 : 2;
    const std::int64_t n_threads = (launch.n + n_per_thread - 1) / n_per_thread;
    const auto n_blocks = static_cast<int>(
        std::min<std::int64_t>((n_threads + kDequantizeThreads - 1) / kDequantizeThreads, 65536));
    dequantize_4bit<T>
        <<<n_blocks, kDequantizeThreads, 0, static_cast<cudaStream_t>(stream)>>>(arguments);
  });
}

int launch_dequantize_rows(Type type,
                           const std::int8_t* codes,
                           const float* absmax,
                           int n_rows,
                           int n_columns,
                           void* result,
                           void* stream) {
  if (n_rows == 0) return cudaSuccess;
  return with_type(type, [&](auto zero) {
    using T = decltype(zero);
    dequantize_rows<T><<<n_rows, kDequantizeThreads, 0, static_cast<cudaStream_t>(stream)>>>(
        codes, absmax, n_columns, static_cast<T*>(result));
  });
}

int launch_read(const float* logits,
                std::int64_t stride,
                int n_rows,
                int n_vocab,
                int n_top,
                const std::int64_t* watched,
                int n_watched,
                double* readings,
                void* stream) {
  if (n_rows == 0) return cudaSuccess;
  read_rows<float><<<n_rows, kReadThreads, 0, static_cast<cudaStream_t>(stream)>>>(
      ReadArguments<float>{logits, stride, n_vocab, n_top, watched, n_watched, readings});
  return cudaGetLastError();
}

}  // namespace labelprobe::model::cuda
