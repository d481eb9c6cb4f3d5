// The kernels from the host's side, without a CUDA header and without a torch one. Streams are
// cudaStream_t; every call only queues work, and returns the CUDA error code of that, 0 for none.
#pragma once

#include <cstdint>

#include "model/cuda/attention_item.h"

namespace labelprobe::model::cuda {

enum class Type { Float32, BFloat16, Float16 };

struct AttendLaunch {
  Type type = Type::Float32;
  const void* queries = nullptr;
  const void* keys = nullptr;
  const void* values = nullptr;
  const AttentionItem* items = nullptr;
  const std::int32_t* n_steps = nullptr;
  const std::int32_t* runs = nullptr;
  const std::int32_t* n_seen = nullptr;
  float* parts = nullptr;
  float* logs = nullptr;
  std::int64_t query_stride = 0;
  std::int64_t key_stride = 0;
  std::int64_t value_stride = 0;
  int n_wide = 0;  // the first items; the others are narrow
  int n_items = 0;
  int n_key_heads = 0;
  int n_groups = 0;
  int head_size = 0;  // at most kMaxHead (attention_tiles.h)
  float scale = 0;
};
int launch_attend(const AttendLaunch& launch, void* stream);

struct MergeLaunch {
  Type type = Type::Float32;
  const float* parts = nullptr;
  const float* logs = nullptr;
  const void* const* level_values = nullptr;  // [n_levels]
  const float* const* level_logs = nullptr;
  int n_levels = 0;  // at most kMaxMergedLevels
  const std::int32_t* first_parts = nullptr;
  const std::int32_t* part_ids = nullptr;
  void* result = nullptr;
  int n_rows = 0;
  int n_heads = 0;
  int head_size = 0;
};
constexpr int kMaxMergedLevels = 16;
int launch_merge(const MergeLaunch& launch, void* stream);

int launch_rms_norm(Type type,
                    const void* x,
                    std::int64_t stride,
                    const float* weight,
                    float epsilon,
                    int n_rows,
                    int n_columns,
                    void* result,
                    void* stream);

struct RotateLaunch {
  Type type = Type::Float32;
  void* heads = nullptr;
  const float* cosines = nullptr;
  const float* sines = nullptr;
  void* keys = nullptr;
  void* values = nullptr;
  const std::int64_t* arena_rows = nullptr;
  std::int64_t stride = 0;
  std::int64_t key_stride = 0;
  std::int64_t value_stride = 0;
  int n_rows = 0;
  int n_queries = 0;
  int n_keys = 0;
  int n_values = 0;
  int head_size = 0;
};
int launch_rotate(const RotateLaunch& launch, void* stream);

int launch_gate(Type type,
                const void* gate_up,
                std::int64_t stride,
                int n_rows,
                int width,
                void* result,
                void* stream);

struct Dequantize4BitLaunch {
  Type type = Type::Float32;
  const std::uint8_t* codes = nullptr;
  float levels[16] = {};
  const float* absmax = nullptr;
  const std::uint8_t* absmax_codes = nullptr;
  const float* absmax_levels = nullptr;
  const float* outer_absmax = nullptr;
  float offset = 0;
  std::int64_t n = 0;
  void* result = nullptr;
};
int launch_dequantize_4bit(const Dequantize4BitLaunch& launch, void* stream);

int launch_dequantize_rows(Type type,
                           const std::int8_t* codes,
                           const float* absmax,
                           int n_rows,
                           int n_columns,
                           void* result,
                           void* stream);

int launch_read(const float* logits,
                std::int64_t stride,
                int n_rows,
                int n_vocab,
                int n_top,
                const std::int64_t* watched,
                int n_watched,
                double* readings,
                void* stream);

}  // namespace labelprobe::model::cuda
