// How much memory a device has left, for those who plan what to load.
#pragma once

#include <cstddef>
#include <string>

namespace labelprobe::model {

// Bytes that can still be allocated on "cpu", "cuda:0" and the like; 0 if that is not known. Throws
// ConfigError, as open() would, for a device that is not there.
std::size_t free_device_bytes(const std::string& device);

}  // namespace labelprobe::model
