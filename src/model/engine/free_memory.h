// What a call may still take of the memory of a model's devices.
#pragma once

#include <cstddef>

#include <c10/core/Device.h>

#include "model/decoder/placement.h"

namespace labelprobe::model {

// Bytes that are free on a device; 0 if that is not known.
std::size_t free_bytes_on(const c10::Device& device);

// Bytes that are free on the device that has least of them; 0 if that is not known.
//   n_arena  bytes of keys and values that count as free, divided as the n_layers layers are; on
//            the CPU, where the system gives them when they are written, they do not count
std::size_t least_free_bytes(const Placement& placement, int n_layers, std::size_t n_arena);

}  // namespace labelprobe::model
