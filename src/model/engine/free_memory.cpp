#include "model/engine/free_memory.h"

#include <algorithm>

#include <c10/core/DeviceGuard.h>

#include "weights/device/device.h"

namespace labelprobe::model {
namespace {

// Others take a part of a host's memory while a model computes: records of finished items, pieces
// that the allocator cannot use.
constexpr std::size_t kHostReserve = std::size_t{64} << 20;

}  // namespace

std::size_t free_bytes_on(const c10::Device& device) {
  const c10::DeviceGuard on_device(device);
  return weights::free_bytes(device);
}

std::size_t least_free_bytes(const Placement& placement, int n_layers, std::size_t n_arena) {
  std::size_t n_least = 0;
  for (std::size_t part = 0; part < placement.devices().size(); ++part) {
    const c10::Device device = placement.devices()[part];
    std::size_t n = free_bytes_on(device);
    if (device.is_cpu()) {
      n -= std::min(n / 2, kHostReserve);
    } else if (n > 0) {
      n += n_arena / static_cast<std::size_t>(n_layers) *
           static_cast<std::size_t>(placement.n_layers_of(part, n_layers));
    }
    n_least = part == 0 ? n : std::min(n_least, n);
  }
  return n_least;
}

}  // namespace labelprobe::model
