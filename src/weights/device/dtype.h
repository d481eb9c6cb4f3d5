// DType in terms of torch.
#pragma once

#include <cstddef>

#include <c10/core/ScalarType.h>

#include "labelprobe/weights/precision.h"

namespace labelprobe::weights {

c10::ScalarType scalar_type(DType dtype);
std::size_t dtype_bytes(DType dtype);

}  // namespace labelprobe::weights
