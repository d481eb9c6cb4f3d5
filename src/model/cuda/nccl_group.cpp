// Processes that compute one model together, on a GPU each: libtorch's group over NCCL, which is in
// its CUDA half. Built where NCCL's header is there; without it the processes go by way of the
// host.
#include <chrono>
#include <utility>

#include <c10/util/intrusive_ptr.h>

// Whether the wheel has it was known to those who built it.
#define USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

// The caller takes it over.
extern "C" __attribute__((visibility("default"))) c10d::Backend* labelprobe_make_nccl_group(
    const c10::intrusive_ptr<c10d::Store>& store, int rank, int size) {
  auto options = c10d::ProcessGroupNCCL::Options::create();
  // Who stands still is found by the processes' own watch.
  options->timeout = std::chrono::hours(24);
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, size, std::move(options))
      .release();
}
