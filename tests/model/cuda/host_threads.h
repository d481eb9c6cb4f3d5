// Stand-ins for what CUDA kernels use, so that their source runs on the host: the threads of a
// block take turns on one real thread, each until it waits for the others. Blocks run one after
// another. Include it, through kernel_language.h, from one source file per program only.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>
#include <ucontext.h>

#define __global__
#define __device__
#define __launch_bounds__(...)
// One block at a time, and all of its threads are one real thread.
#define __shared__ static
#define LABELPROBE_SHARED_FLOATS(name) float* name = host_block().shared.data()

namespace labelprobe::model::cuda {

struct Dim3 {
  unsigned x = 1;
  unsigned y = 1;
};

// The block that runs, and where its threads are.
struct HostBlock {
  struct Thread {
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    bool is_done = false;
    int n_waits = 0;  // of the block or, with shuffles, of the warp: all threads do all of them
  };
  Dim3 grid;
  Dim3 block;  // its number
  std::vector<float> shared;
  std::vector<Thread> threads;
  std::vector<std::uint64_t> offered;  // to the warp's shuffle, by thread
  ucontext_t scheduler;
  std::size_t current = 0;
  std::function<void()> kernel;
};

inline HostBlock& host_block() {
  static HostBlock block;
  return block;
}

// Lets every other thread come as far as this one.
inline void wait_for_block() {
  HostBlock& block = host_block();
  HostBlock::Thread& thread = block.threads[block.current];
  ++thread.n_waits;
  swapcontext(&thread.context, &block.scheduler);
}

inline void host_thread_main() {
  HostBlock& block = host_block();
  block.kernel();
  block.threads[block.current].is_done = true;
  swapcontext(&block.threads[block.current].context, &block.scheduler);
}

// Runs `kernel` in every thread of every block. Aborts where some threads wait for others that have
// ended or wait somewhere else, which would hang or go wrong on a GPU.
inline void launch_on_host(Dim3 grid,
                           int n_threads,
                           std::size_t n_shared_floats,
                           std::function<void()> kernel) {
  constexpr std::size_t kStackBytes = 64 * 1024;
  HostBlock& block = host_block();
  block.grid = grid;
  block.kernel = std::move(kernel);
  block.offered.assign(n_threads, 0);
  block.threads.resize(n_threads);
  for (unsigned y = 0; y < grid.y; ++y) {
    for (unsigned x = 0; x < grid.x; ++x) {
      block.block = {x, y};
      block.shared.assign(n_shared_floats, NAN);
      for (HostBlock::Thread& thread : block.threads) {
        if (!thread.stack) thread.stack = std::make_unique<char[]>(kStackBytes);
        thread.is_done = false;
        thread.n_waits = 0;
        getcontext(&thread.context);
        thread.context.uc_stack.ss_sp = thread.stack.get();
        thread.context.uc_stack.ss_size = kStackBytes;
        thread.context.uc_link = &block.scheduler;
        makecontext(&thread.context, host_thread_main, 0);
      }
      for (bool is_done = false; !is_done;) {
        for (block.current = 0; block.current < block.threads.size(); ++block.current) {
          swapcontext(&block.scheduler, &block.threads[block.current].context);
        }
        is_done = block.threads.front().is_done;
        for (const HostBlock::Thread& thread : block.threads) {
          if (thread.is_done != is_done || thread.n_waits != block.threads.front().n_waits) {
            std::abort();
          }
        }
      }
    }
  }
}

struct HostThreadIndex {
  struct X {
    operator unsigned() const { return static_cast<unsigned>(host_block().current); }
  } x;
};
struct HostBlockIndex {
  struct X {
    operator unsigned() const { return host_block().block.x; }
  } x;
  struct Y {
    operator unsigned() const { return host_block().block.y; }
  } y;
};
struct HostGridSize {
  struct X {
    operator unsigned() const { return host_block().grid.x; }
  } x;
  struct Y {
    operator unsigned() const { return host_block().grid.y; }
  } y;
};
inline constexpr HostThreadIndex threadIdx;
inline constexpr HostBlockIndex blockIdx;
inline constexpr HostGridSize gridDim;

inline void __syncthreads() {
  wait_for_block();
}

// Only for shuffles that every thread of the block takes part in.
template <typename T>
T __shfl_xor_sync(unsigned, T x, int distance) {
  HostBlock& block = host_block();
  const std::size_t thread = block.current;
  std::memcpy(&block.offered[thread], &x, sizeof x);
  wait_for_block();
  T other;
  std::memcpy(&other, &block.offered[thread ^ static_cast<std::size_t>(distance)], sizeof other);
  wait_for_block();
  return other;
}

inline int __float_as_int(float x) {
  return std::bit_cast<int>(x);
}
// The test is compiled without contraction.
inline float __fmul_rn(float a, float b) {
  return a * b;
}
inline float __fadd_rn(float a, float b) {
  return a + b;
}

using std::isinf;
using std::max;
using std::min;

using Bf16 = c10::BFloat16;
using Fp16 = c10::Half;

inline float to_float(float x) {
  return x;
}
inline float to_float(Bf16 x) {
  return x;
}
inline float to_float(Fp16 x) {
  return x;
}
template <typename T>
T from_float(float x) {
  return static_cast<T>(x);
}

}  // namespace labelprobe::model::cuda
