#include "step_graph.h"

#include <exception>
#include <memory>
#include <utility>

#include <ATen/cuda/CUDAGraph.h>
#include <c10/util/Exception.h>
#include <cuda_runtime_api.h>

namespace labelprobe::model::cuda {
namespace {

class TorchStepGraph : public StepGraph {
 public:
  bool record(const std::function<void()>& work) override {
    if (has_failed_) return false;
    auto graph = std::make_unique<at::cuda::CUDAGraph>();
    // In the memory of the last one, which is alive until then: nobody reads it any more.
    const auto pool = graph_ ? graph_->pool() : decltype(graph->pool()){0, 0};
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
    // libtorch's allocator asks a recording that did not end for the rest of its life.
    if (!has_ended) static_cast<void>(graph.release());
    static_cast<void>(cudaGetLastError());  // or the next call reports it again
    forget();
    return give_up(error);
  }

  void replay() override { graph_->replay(); }

  void forget() override { graph_.reset(); }

 private:
  // Throws errors that are not of the recording itself.
  bool give_up(const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const c10::OutOfMemoryError&) {
      throw;
    } catch (const c10::Error&) {
      has_failed_ = true;
      return false;
    }
  }

  std::unique_ptr<at::cuda::CUDAGraph> graph_;
  bool has_failed_ = false;
};

}  // namespace
}  // namespace labelprobe::model::cuda

extern "C" __attribute__((visibility("default"))) labelprobe::model::cuda::StepGraph*
labelprobe_make_step_graph() {
  return new labelprobe::model::cuda::TorchStepGraph;
}
