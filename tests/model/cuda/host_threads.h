// Stand-ins for what CUDA kernels use, so that their source runs on the host: the threads of a
// block take turns on one real thread, each until it waits for the others. Blocks run one after
// another. Included through kernel_language.h.
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
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

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

// Where a thread of a block goes on. A kernel changes threads millions of times, and swapcontext()
// asks the system each time: where we know how, only what a call must keep is kept.
#if defined(__x86_64__)
asm(R"(
  .text
labelprobe_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
)");
extern "C" void labelprobe_switch_stack(void** left, void* entered);

class HostContext {
 public:
  // As left by a switch that `main` called before its first line.
  void start(char* stack, std::size_t n_bytes, void (*main)()) {
    const auto end = reinterpret_cast<std::uintptr_t>(stack + n_bytes) / 16 * 16;
    void** top = reinterpret_cast<void**>(end) - 8;
    std::fill_n(top, 8, nullptr);
    top[6] = reinterpret_cast<void*>(main);
    stack_pointer_ = top;
  }
  void switch_to(HostContext& other) {
    labelprobe_switch_stack(&stack_pointer_, other.stack_pointer_);
  }

 private:
  void* stack_pointer_ = nullptr;
};
#else
class HostContext {
 public:
  void start(char* stack, std::size_t n_bytes, void (*main)()) {
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack;
    context_.uc_stack.ss_size = n_bytes;
    makecontext(&context_, main, 0);
  }
  void switch_to(HostContext& other) { swapcontext(&context_, &other.context_); }

 private:
  ucontext_t context_;
};
#endif

// The block that runs, and where its threads are.
struct HostBlock {
  struct Thread {
    HostContext context;
    std::unique_ptr<char[]> stack;
    bool is_done = false;
    int n_waits = 0;  // of the block or, with shuffles, of the warp: all threads do all of them
  };
  Dim3 grid;
  Dim3 block;  // its number
  std::vector<float> shared;
  std::vector<Thread> threads;
  std::vector<std::uint64_t>
      offered[2];  // to shuffles, by thread: one's is read while the next is offered
  HostContext scheduler;
  std::size_t current = 0;
  std::function<void()> kernel;
};

inline HostBlock only_block;

inline HostBlock& host_block() {
  return only_block;
}

// Lets every other thread come as far as this one.
inline void wait_for_block() {
  HostBlock& block = host_block();
  HostBlock::Thread& thread = block.threads[block.current];
  ++thread.n_waits;
  thread.context.switch_to(block.scheduler);
}

inline void host_thread_main() {
  HostBlock& block = host_block();
  block.kernel();
  block.threads[block.current].is_done = true;
  block.threads[block.current].context.switch_to(block.scheduler);
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
  for (auto& offered : block.offered) offered.assign(n_threads, 0);
  block.threads.resize(n_threads);
  for (unsigned y = 0; y < grid.y; ++y) {
    for (unsigned x = 0; x < grid.x; ++x) {
      block.block = {x, y};
      block.shared.assign(n_shared_floats, NAN);
      for (HostBlock::Thread& thread : block.threads) {
        if (!thread.stack) thread.stack = std::make_unique<char[]>(kStackBytes);
        thread.is_done = false;
        thread.n_waits = 0;
        thread.context.start(thread.stack.get(), kStackBytes, host_thread_main);
      }
      for (bool is_done = false; !is_done;) {
        for (block.current = 0; block.current < block.threads.size(); ++block.current) {
          block.scheduler.switch_to(block.threads[block.current].context);
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
  std::vector<std::uint64_t>& offered = block.offered[block.threads[thread].n_waits % 2];
  std::memcpy(&offered[thread], &x, sizeof x);
  wait_for_block();
  T other;
  std::memcpy(&other, &offered[thread ^ static_cast<std::size_t>(distance)], sizeof other);
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
