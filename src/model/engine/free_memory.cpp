#include "model/engine/free_memory.h"

#include <algorithm>

#include <c10/core/DeviceGuard.h>

#include "weights/device/device.h"

namespace labelprobe::model {

std::size_t least_free_bytes(const Placement& placement, int n_layers, std::size_t n_arena) {
  std::size_t n_least = 0;
  for (std::size_t part = 0; part < placement.devices().size(); ++part) {
    const c10::Device device = placement.devices()[part];
    const c10::DeviceGuard on_device(device);
    std::size_t n = weights::free_bytes(device);
    if (n > 0 && !device.is_cpu()) {
      n += n_arena / static_cast<std::size_t>(n_layers) *
           static_cast<std::size_t>(placement.n_layers_of(part, n_layers));
    }
    n_least = part == 0 ? n : std::min(n_least, n);
  }
  return n_least;
}

}  // namespace labelprobe::model
