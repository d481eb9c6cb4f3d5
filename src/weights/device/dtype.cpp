#include "weights/device/dtype.h"

#include <string>

#include "labelprobe/core/error.h"

namespace labelprobe::weights {

c10::ScalarType scalar_type(DType dtype) {
  switch (dtype) {
    case DType::Float32:
      return c10::ScalarType::Float;
    case DType::BFloat16:
      return c10::ScalarType::BFloat16;
    case DType::Float16:
      return c10::ScalarType::Half;
  }
  throw InternalError("a dtype that torch does not know");
}

std::size_t dtype_bytes(DType dtype) {
  return c10::elementSize(scalar_type(dtype));
}

std::string safetensors_type(DType dtype) {
  return dtype == DType::Float32 ? "F32" : dtype == DType::BFloat16 ? "BF16" : "F16";
}

}  // namespace labelprobe::weights
