#include "labelprobe/weights/device_memory.h"

#include <c10/core/DeviceGuard.h>

#include "weights/device/device.h"

namespace labelprobe::weights {

std::size_t free_device_bytes(const std::string& name) {
  const c10::Device device = open_device(name);
  const c10::DeviceGuard on_device(device);
  return free_bytes(device);
}

std::string resolve_device(const std::string& device) {
  return open_device(device).str();
}

}  // namespace labelprobe::weights
