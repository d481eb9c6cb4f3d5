// What a block of threads may take of each generation of GPUs that the kernels are for. Known when
// they are compiled, so that a kernel too large for one of them is not built at all.
#pragma once

#include <algorithm>

namespace labelprobe::model::cuda {

// Numbers: CUDA C++ Programming Guide, technical specifications per compute capability.
struct GpuLimits {
  int capability;            // 86 is 8.6
  int block_bytes;           // shared memory of a block that asks for all it may have
  int multiprocessor_bytes;  // of all blocks that run on a multiprocessor at once
};

constexpr GpuLimits kGpuLimits[] = {
    {80, 163 * 1024, 164 * 1024},   // A100
    {86, 99 * 1024, 100 * 1024},    // A40, RTX 30
    {89, 99 * 1024, 100 * 1024},    // L40S, RTX 40
    {90, 227 * 1024, 228 * 1024},   // H100, H200
    {100, 227 * 1024, 228 * 1024},  // B200
    {120, 99 * 1024, 100 * 1024},   // RTX 50
};

// The same on all of them.
constexpr int kStaticBytes = 48 * 1024;   // shared memory of a block that did not ask for more
constexpr int kReservedBytes = 1024;      // shared memory that CUDA takes for every block
constexpr int kRegisters = 64 * 1024;     // of a multiprocessor
constexpr int kRegisterAllocation = 256;  // a warp's registers are given in pieces of so many
constexpr int kMultiprocessorWarps = 48;  // at once, on the smallest
constexpr int kWarpThreads = 32;

// Whether a kernel of so much shared memory runs wherever our kernels may run. Which sizes are
// taken must not depend on the card: the last bits of a result would.
constexpr bool fits_every_gpu(int shared_bytes) {
  for (const GpuLimits& limits : kGpuLimits) {
    if (shared_bytes > limits.block_bytes) return false;
  }
  return true;
}

// Blocks that run on a multiprocessor at once.
//   n_registers  of a thread
constexpr int blocks_at_once(const GpuLimits& limits,
                             int n_threads,
                             int n_registers,
                             int shared_bytes) {
  const int n_warps = (n_threads + kWarpThreads - 1) / kWarpThreads;
  const int n_allocated = (n_registers * kWarpThreads + kRegisterAllocation - 1) /
                          kRegisterAllocation * kRegisterAllocation;
  return std::min({kRegisters / (n_warps * n_allocated), kMultiprocessorWarps / n_warps,
                   limits.multiprocessor_bytes / (shared_bytes + kReservedBytes)});
}

}  // namespace labelprobe::model::cuda
