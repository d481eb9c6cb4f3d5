#include "weights/device/send.h"

#include <algorithm>

#include <ATen/Functions.h>

namespace labelprobe::weights {
namespace {

template <typename Number>
at::Tensor send_as(at::ScalarType type,
                   std::span<const Number> numbers,
                   const c10::Device& device) {
  const at::Tensor on_host =
      at::empty({static_cast<std::int64_t>(numbers.size())},
                at::TensorOptions().dtype(type).pinned_memory(!device.is_cpu()));
  std::copy(numbers.begin(), numbers.end(), on_host.mutable_data_ptr<Number>());
  // libtorch keeps pinned memory until the copy is done.
  return on_host.to(device, /*non_blocking=*/true);
}

}  // namespace

at::Tensor send(std::span<const std::int64_t> numbers, const c10::Device& device) {
  return send_as(at::kLong, numbers, device);
}

at::Tensor send(std::span<const float> numbers, const c10::Device& device) {
  return send_as(at::kFloat, numbers, device);
}

}  // namespace labelprobe::weights
