// The way of a tensor's rows into the memory of a device.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/Event.h>

#include "weights/quantized/quantized_weight.h"

namespace labelprobe::weights {

// To a GPU rows go through two pinned buffers: one is filled while the other is copied, so that the
// machine's own memory never holds a whole tensor. On the CPU they are written in place.
class Staging {
 public:
  // buffer_bytes: of each of the two buffers; 0 = 64 MiB, or none on the CPU.
  explicit Staging(c10::Device device, std::size_t buffer_bytes = 0);

  // Writes the rows from `first_row` on into `rows`, a contiguous CPU tensor of the target's type.
  using Fill = std::function<void(std::int64_t first_row, const at::Tensor& rows)>;

  // Fills the contiguous `target`, which is on the device, part by part in order. When it returns,
  // `fill` has been called for all rows; the last copies may still be under way, in the order of
  // the device's current stream.
  void send(const at::Tensor& target, const Fill& fill);

  c10::Device device() const { return device_; }

 private:
  struct Buffer {
    at::Tensor bytes;                   // uint8, pinned where the device is a GPU
    std::unique_ptr<c10::Event> event;  // its last copy; none on the CPU
  };

  at::Tensor free_rows(Buffer& buffer, std::int64_t n_rows, const at::Tensor& target);

  c10::Device device_;
  std::size_t buffer_bytes_;
  std::array<Buffer, 2> buffers_;
  int next_ = 0;
};

// The same weight on the staging's device, by way of its buffers; `weight` is on the CPU.
QuantizedWeight to_device(const QuantizedWeight& weight, Staging& staging);

}  // namespace labelprobe::weights
