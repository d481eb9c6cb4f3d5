// How much memory a device has left, for those who plan what to load.
#pragma once

#include <cstddef>
#include <string>

namespace labelprobe::weights {

// Bytes that can still be allocated on "cpu", "cuda:0" and the like; 0 if that is not known. Throws
// ConfigError, as open() would, for a device that is not there.
std::size_t free_device_bytes(const std::string& device);

// The device that "auto", "cuda" and the like mean on this machine: "cpu", "cuda:0". Throws
// ConfigError, as model::open() would, for one that is not there.
std::string resolve_device(const std::string& device);

}  // namespace labelprobe::weights
