// Memory that runs out.
#pragma once

#include <cstddef>

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

namespace labelprobe::model {

// Refuses large pieces of memory while it lives, as a device that is nearly full.
class TightMemory : public c10::Allocator {
 public:
  explicit TightMemory(std::size_t n_largest)
      : n_largest_(n_largest), usual_(c10::GetCPUAllocator()) {
    c10::SetCPUAllocator(this, 1);
  }
  ~TightMemory() override { c10::SetCPUAllocator(usual_, 1); }

  c10::DataPtr allocate(std::size_t n_bytes) override {
    // As the usual allocator says it.
    TORCH_CHECK(n_bytes <= n_largest_, "DefaultCPUAllocator: can't allocate memory");
    return usual_->allocate(n_bytes);
  }
  c10::DeleterFnPtr raw_deleter() const override { return usual_->raw_deleter(); }
  void copy_data(void* to, const void* from, std::size_t n_bytes) const override {
    usual_->copy_data(to, from, n_bytes);
  }

 private:
  std::size_t n_largest_;
  c10::Allocator* usual_;
};

}  // namespace labelprobe::model
