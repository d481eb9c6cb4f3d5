#include "labelprobe/model/device_memory.h"

#include <c10/core/DeviceGuard.h>

#include "device.h"

namespace labelprobe::model {

std::size_t free_device_bytes(const std::string& name) {
  const c10::Device device = open_device(name);
  const c10::DeviceGuard on_device(device);
  return free_bytes(device);
}

}  // namespace labelprobe::model
