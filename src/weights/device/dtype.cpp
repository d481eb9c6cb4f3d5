#include "weights/device/dtype.h"

#include <string>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/error.h"

namespace labelprobe::weights {
namespace {

// torch spells two of them in two ways; people write the short names.
constexpr auto kDTypes = enum_names<DType>("model dtype",
                                           {{DType::Float32, "float32", "float fp32"},
                                            {DType::BFloat16, "bfloat16", "bf16"},
                                            {DType::Float16, "float16", "half fp16"}});

constexpr auto kQuantizations = enum_names<Quantization>("quantisation",
                                                         {{Quantization::None, "none"},
                                                          {Quantization::Fp4, "fp4"},
                                                          {Quantization::Nf4, "nf4"},
                                                          {Quantization::Nf4Double, "nf4-double"},
                                                          {Quantization::Int8, "int8"}});

}  // namespace

DType parse_dtype(std::string_view name) {
  return kDTypes.parse(name);
}

std::string_view dtype_name(DType dtype) {
  return kDTypes.name_of(dtype);
}

Quantization parse_quantization(std::string_view name) {
  return kQuantizations.parse(name);
}

std::string_view quantization_name(Quantization quantization) {
  return kQuantizations.name_of(quantization);
}

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
