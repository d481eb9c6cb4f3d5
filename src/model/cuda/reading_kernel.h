// What is kept of a step's logits, found in one launch: per row whether there is a NaN, the log of
// the sum of exp, the entropy, ids and logits of the largest, and the watched logits. float64 holds
// ids and float32 logits alike, exactly, so that one small tensor goes to the host.
//   B  rows   V  vocabulary
#pragma once

#include "model/cuda/kernel_language.h"

namespace labelprobe::model::cuda {

constexpr int kReadThreads = 512;
constexpr int kFirstTopOfReading = 3;

template <typename Logit>
struct ReadArguments {
  const Logit* logits = nullptr;  // [B, V]
  std::int64_t stride = 0;
  int n_vocab = 0;
  int n_top = 1;
  const std::int64_t* watched = nullptr;  // [n_watched]
  int n_watched = 0;
  double* readings = nullptr;  // [B, kFirstTopOfReading + 2 n_top + n_watched]
};

// Larger for a larger logit, and of equal ones for the smaller id. Never the largest int64.
__device__ inline std::int64_t order_of(float logit, int id) {
  const std::int32_t bits = __float_as_int(logit + 0.0f);  // -0 becomes +0
  const std::int32_t ordered = bits >= 0 ? bits : bits ^ 0x7fffffff;
  return std::int64_t{ordered} * (std::int64_t{1} << 31) - id;
}

// The largest over the block, the same in every thread.
__device__ inline std::int64_t max_over_block(std::int64_t x) {
  __shared__ std::int64_t found[kReadThreads / kWarp];
  for (int distance = kWarp / 2; distance > 0; distance /= 2) {
    const std::int64_t other = __shfl_xor_sync(0xffffffffu, x, distance);
    if (other > x) x = other;
  }
  __syncthreads();
  if (threadIdx.x % kWarp == 0) found[threadIdx.x / kWarp] = x;
  __syncthreads();
  for (int i = 0; i < kReadThreads / kWarp; ++i) {
    if (found[i] > x) x = found[i];
  }
  return x;
}

__device__ inline double read_sum_over_block(double x) {
  __shared__ double sums[kReadThreads / kWarp];
  for (int distance = kWarp / 2; distance > 0; distance /= 2) {
    x += __shfl_xor_sync(0xffffffffu, x, distance);
  }
  __syncthreads();
  if (threadIdx.x % kWarp == 0) sums[threadIdx.x / kWarp] = x;
  __syncthreads();
  double total = 0;
  for (int i = 0; i < kReadThreads / kWarp; ++i) total += sums[i];
  return total;
}

// One block per row. A row is read once for its largest logit, once more for each further one asked
// for, and once for the sum; it stays in the cache meanwhile.
template <typename Logit>
__global__ void __launch_bounds__(kReadThreads) read_rows(ReadArguments<Logit> a) {
  const Logit* logits = a.logits + blockIdx.x * a.stride;
  double* reading =
      a.readings + std::int64_t{blockIdx.x} * (kFirstTopOfReading + 2 * a.n_top + a.n_watched);
  bool has_nan = false;
  std::int64_t before = INT64_MAX;
  float largest = 0;
  for (int place = 0; place < a.n_top; ++place) {
    std::int64_t best = INT64_MIN;
    for (int id = threadIdx.x; id < a.n_vocab; id += kReadThreads) {
      const float logit = logits[id];
      has_nan |= logit != logit;
      const std::int64_t order = order_of(logit, id);
      if (order < before && order > best) best = order;
    }
    best = max_over_block(best);
    before = best;
    // The id is what order_of() subtracted from a multiple of 2^31.
    const int id = static_cast<int>(-best & 0x7fffffff);
    const float logit = best == INT64_MIN ? 0.0f : logits[id];
    if (place == 0) largest = logit;
    if (threadIdx.x == 0) {
      reading[kFirstTopOfReading + place] = id;
      reading[kFirstTopOfReading + a.n_top + place] = logit;
    }
  }
  double total = 0;
  double weighted = 0;
  // Unrolled, it would need more registers than a thread has.
#pragma unroll 1
  for (int id = threadIdx.x; id < a.n_vocab; id += kReadThreads) {
    const float below = logits[id] - largest;
    const float share = expf(below);
    total += share;
    if (share > 0.0f) weighted += double{share} * below;
  }
  total = read_sum_over_block(total);
  weighted = read_sum_over_block(weighted);
  const bool is_bad = max_over_block(has_nan ? 1 : 0) > 0;
  if (threadIdx.x == 0) {
    reading[0] = is_bad ? 1 : 0;
    reading[1] = isinf(largest) ? largest : largest + log(total);
    reading[2] = isinf(largest) ? 0.0 : log(total) - weighted / total;
  }
  for (int i = threadIdx.x; i < a.n_watched; i += kReadThreads) {
    reading[kFirstTopOfReading + 2 * a.n_top + i] = logits[a.watched[i]];
  }
}

}  // namespace labelprobe::model::cuda
