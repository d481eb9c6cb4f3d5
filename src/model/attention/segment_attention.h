// Attention of packed rows that see different sets of keys, all of a layer in one pass: every row
// its ancestors in the prefix tree, wherever the arena keeps them, and itself. One plan serves all
// layers of a forward pass.
//   T  rows   N  rows of the arena   K  key heads   G  query heads per key head   D  head size
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "model/attention/attention_form.h"
#include "model/attention/batched_attention.h"
#include "model/attention/cuda_attention.h"
#include "model/attention/segment_attention_cpu.h"

namespace labelprobe::model {

// Every row must see the positions from 0 to its own, all of them once.
class SegmentAttention {
 public:
  // is_fast: on a GPU numbers may depend on the schedule (cuda_attention.h).
  explicit SegmentAttention(c10::Device device, bool is_fast = false)
      : device_(device), is_fast_(is_fast) {}
  SegmentAttention(std::int64_t n_rows, std::span<const KeySegment> segments, c10::Device device);

  // Plans another pass, in the memory of the last one.
  void plan(std::int64_t n_rows, std::span<const KeySegment> segments);

  // Every segment that further steps add keys to (KeySegment::n_more) has one more of them.
  void grow();
  // Whether grow() and attend() queue work on the device and nothing else: after the first layer.
  bool grows_on_device() const;

  // May be called with tensors on several GPUs, one after the other, of one plan.
  // Queries [T, K, G, D] over keys and values [N, K, D] of one layer of the arena, on the CPU of a
  // type that CpuSegmentPlan takes; the result is [T, K * G * D] in the queries' type.
  at::Tensor attend(const at::Tensor& queries,
                    const at::Tensor& keys,
                    const at::Tensor& values,
                    const AttentionForm& form = {}) const;

 private:
  // What one GPU attends with in layers of one window; the tables are made at the first of them.
  struct OnGpu {
    c10::Device device;
    std::int64_t window;
    CudaAttention with_kernels;
    BatchedAttention without_kernels;
  };
  OnGpu& on_gpu(c10::Device device, std::int64_t window) const;
  void plan_on(OnGpu& gpu) const;

  c10::Device device_;
  bool is_fast_;
  std::int64_t n_rows_ = 0;
  std::int64_t n_positions_ = 0;  // of the longest text, with what further steps add
  std::vector<KeySegment> segments_;
  CpuSegmentPlan on_cpu_;
  mutable std::vector<OnGpu> on_gpus_;
};

// Whose code attends such queries (which may have no rows), for people.
std::string_view attention_code(const at::Tensor& queries, bool is_fast);

// The same by tensor operations, one segment at a time, on any device: what the fast ways must
// agree with.
at::Tensor attend_plainly(const at::Tensor& queries,
                          const at::Tensor& keys,
                          const at::Tensor& values,
                          std::span<const KeySegment> segments,
                          const AttentionForm& form = {});

}  // namespace labelprobe::model
