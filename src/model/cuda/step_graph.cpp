#include "weights/device/step_graph.h"

#include <exception>
#include <memory>
#include <string_view>
#include <utility>

#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/util/Exception.h>
#include <cuda_runtime_api.h>

namespace labelprobe::model::cuda {
namespace {

// What libtorch leaves undone where a recording cannot be ended: until then its allocators ask the
// recording where memory goes, and give none back to the device.
void end_allocating(c10::DeviceIndex device, c10::MempoolId_t pool) {
  const auto attempt = [](const auto& step) {
    try {
      step();
    } catch (const c10::Error&) {
      // It had not come as far as that.
    }
  };
  auto* on_host = at::getHostAllocator(at::kCUDA);
  attempt([&] {
    c10::cuda::CUDACachingAllocator::endAllocateToPool(device, pool);
    c10::cuda::CUDACachingAllocator::releasePool(device, pool);
  });
  attempt([&] {
    on_host->end_allocate_to_pool(pool);
    on_host->release_pool(pool);
  });
}

// cudaGraphInstantiate()'s lack of memory has no exception type of its own: the words tell.
bool is_out_of_memory(const c10::Error& error) {
  return dynamic_cast<const c10::OutOfMemoryError*>(&error) ||
         std::string_view(error.what_without_backtrace()).find("out of memory") !=
             std::string_view::npos;
}

class TorchStepGraph : public weights::StepGraph {
 public:
  bool record(const std::function<void()>& work) override {
    if (has_failed_) return false;
    auto graph = std::make_unique<at::cuda::CUDAGraph>();
    // In the memory of the last one, which is alive until then: nobody reads it any more.
    const c10::MempoolId_t pool = graph_ ? graph_->pool() : at::cuda::graph_pool_handle();
    std::exception_ptr error;
    bool has_ended = false;
    try {
      graph->capture_begin(pool, cudaStreamCaptureModeThreadLocal);
      try {
        work();
      } catch (...) {
        error = std::current_exception();
      }
      graph->capture_end();
      has_ended = true;
    } catch (const c10::Error&) {
      if (!error) error = std::current_exception();
    }
    if (!error) {
      graph_ = std::move(graph);
      return true;
    }
    if (!has_ended) end_allocating(c10::cuda::current_device(), pool);
    static_cast<void>(cudaGetLastError());  // or the next call reports it again
    forget();
    has_failed_ = true;
    try {
      std::rethrow_exception(error);
    } catch (const c10::Error& failure) {
      lacks_memory_ = is_out_of_memory(failure);
      return false;
    }
  }

  void replay() override { graph_->replay(); }

  void forget() override { graph_.reset(); }

  void try_again() override {
    if (lacks_memory_) has_failed_ = lacks_memory_ = false;
  }

 private:
  std::unique_ptr<at::cuda::CUDAGraph> graph_;
  bool has_failed_ = false;    // no further attempt
  bool lacks_memory_ = false;  // none before try_again()
};

}  // namespace
}  // namespace labelprobe::model::cuda

extern "C" __attribute__((visibility("default"))) labelprobe::weights::StepGraph*
labelprobe_make_step_graph() {
  return new labelprobe::model::cuda::TorchStepGraph;
}
