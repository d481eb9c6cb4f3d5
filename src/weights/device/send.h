// Numbers of the host for a device.
#pragma once

#include <cstdint>
#include <span>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

namespace labelprobe::weights {

// A tensor [n] of the numbers. On a GPU they arrive in the order of its current stream, and the
// host does not wait for that.
at::Tensor send(std::span<const std::int64_t> numbers, const c10::Device& device);
at::Tensor send(std::span<const float> numbers, const c10::Device& device);

}  // namespace labelprobe::weights
