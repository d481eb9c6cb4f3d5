// DType in terms of torch.
#pragma once

#include <cstddef>
#include <string>

#include <c10/core/ScalarType.h>

#include "labelprobe/weights/precision.h"

namespace labelprobe::weights {

c10::ScalarType scalar_type(DType dtype);
std::size_t dtype_bytes(DType dtype);

// "F32", "BF16" or "F16", as safetensors files call it.
std::string safetensors_type(DType dtype);

}  // namespace labelprobe::weights
