#include <cuda_runtime.h>

#include "model/cuda/attention_kernels.h"
#include "model/cuda/launchers.h"

namespace labelprobe::model::cuda {
namespace {

static_assert(kMaxLevels == kMaxMergedLevels);

// Devices whose shared memory was asked for already are few; asking again costs nothing that shows.
template <typename T, typename Tile>
cudaError_t attend_in(Tile, const AttendArguments<T>& arguments, dim3 blocks, cudaStream_t stream) {
  const auto kernel = attend_items<T, Tile::kQueries, Tile::kKeys, Tile::kHead>;
  if (Tile::kBytes > kStaticBytes) {
    const cudaError_t error =
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, Tile::kBytes);
    if (error != cudaSuccess) return error;
  }
  kernel<<<blocks, kAttendThreads, Tile::kBytes, stream>>>(arguments);
  return cudaGetLastError();
}

// Items of at most n_queries queries each.
template <typename T>
cudaError_t attend(AttendArguments<T> arguments,
                   const AttentionItem* items,
                   int n_items,
                   int n_queries,
                   int n_key_heads,
                   cudaStream_t stream) {
  if (n_items == 0) return cudaSuccess;
  arguments.items = items;
  cudaError_t error = cudaErrorInvalidValue;
  with_attend_tile(n_queries, arguments.head_size, [&](auto tile) {
    error = attend_in(tile, arguments, dim3(n_items, n_key_heads), stream);
  });
  return error;
}

template <typename T>
AttendArguments<T> arguments_of(const AttendLaunch& launch) {
  AttendArguments<T> arguments;
  arguments.queries = static_cast<const T*>(launch.queries);
  arguments.keys = static_cast<const T*>(launch.keys);
  arguments.values = static_cast<const T*>(launch.values);
  arguments.n_steps = launch.n_steps;
  arguments.runs = launch.runs;
  arguments.n_seen = launch.n_seen;
  arguments.parts = launch.parts;
  arguments.logs = launch.logs;
  arguments.query_stride = launch.query_stride;
  arguments.key_stride = launch.key_stride;
  arguments.value_stride = launch.value_stride;
  arguments.n_groups = launch.n_groups;
  arguments.head_size = launch.head_size;
  arguments.scale = launch.scale;
  const auto is_aligned = [&](const T* first, std::int64_t stride) {
    return reinterpret_cast<std::uintptr_t>(first) % 16 == 0 && stride % Vector<T>::kSize == 0;
  };
  arguments.is_aligned = launch.head_size % Vector<T>::kSize == 0 &&
                         is_aligned(arguments.keys, launch.key_stride) &&
                         is_aligned(arguments.values, launch.value_stride);
  return arguments;
}

template <typename T>
cudaError_t attend_all(const AttendLaunch& launch, cudaStream_t stream) {
  const AttendArguments<T> arguments = arguments_of<T>(launch);
  const cudaError_t error =
      attend(arguments, launch.items, launch.n_wide, kWideTile, launch.n_key_heads, stream);
  if (error != cudaSuccess) return error;
  return attend(arguments, launch.items + launch.n_wide, launch.n_items - launch.n_wide,
                kNarrowTile, launch.n_key_heads, stream);
}

template <typename T>
cudaError_t merge(const MergeLaunch& launch, cudaStream_t stream) {
  MergeArguments<T> arguments;
  arguments.parts = launch.parts;
  arguments.logs = launch.logs;
  for (int i = 0; i < launch.n_levels; ++i) {
    arguments.level_values[i] = static_cast<const T*>(launch.level_values[i]);
    arguments.level_logs[i] = launch.level_logs[i];
  }
  arguments.first_parts = launch.first_parts;
  arguments.part_ids = launch.part_ids;
  arguments.result = static_cast<T*>(launch.result);
  arguments.n_rows = launch.n_rows;
  arguments.n_heads = launch.n_heads;
  arguments.head_size = launch.head_size;
  merge_parts<T><<<dim3(launch.n_rows, launch.n_heads), kMergeThreads, 0, stream>>>(arguments);
  return cudaGetLastError();
}

}  // namespace

int launch_attend(const AttendLaunch& launch, void* stream) {
  const auto queue = static_cast<cudaStream_t>(stream);
  switch (launch.type) {
    case Type::Float32:
      return attend_all<float>(launch, queue);
    case Type::BFloat16:
      return attend_all<Bf16>(launch, queue);
    case Type::Float16:
      return attend_all<Fp16>(launch, queue);
  }
  return cudaErrorInvalidValue;
}

int launch_merge(const MergeLaunch& launch, void* stream) {
  if (launch.n_levels > kMaxLevels) return cudaErrorInvalidValue;
  if (launch.n_rows == 0) return cudaSuccess;
  const auto queue = static_cast<cudaStream_t>(stream);
  switch (launch.type) {
    case Type::Float32:
      return merge<float>(launch, queue);
    case Type::BFloat16:
      return merge<Bf16>(launch, queue);
    case Type::Float16:
      return merge<Fp16>(launch, queue);
  }
  return cudaErrorInvalidValue;
}

}  // namespace labelprobe::model::cuda
