#include "weights/device/dtype.h"

#include <array>
#include <string>
#include <vector>

#include "labelprobe/core/error.h"

namespace labelprobe::weights {
namespace {

struct NamedDType {
  DType dtype;
  const char* name;
  const char* other_name;  // torch's second spelling; empty if there is none
  c10::ScalarType scalar;
};

constexpr std::array kDTypes = {
    NamedDType{DType::Float32, "float32", "float", c10::ScalarType::Float},
    NamedDType{DType::BFloat16, "bfloat16", "", c10::ScalarType::BFloat16},
    NamedDType{DType::Float16, "float16", "half", c10::ScalarType::Half},
};

struct NamedQuantization {
  Quantization quantization;
  const char* name;
};

constexpr std::array kQuantizations = {
    NamedQuantization{Quantization::None, "none"},
    NamedQuantization{Quantization::Fp4, "fp4"},
    NamedQuantization{Quantization::Nf4, "nf4"},
    NamedQuantization{Quantization::Nf4Double, "nf4-double"},
    NamedQuantization{Quantization::Int8, "int8"},
};

const NamedDType& entry(DType dtype) {
  for (const NamedDType& known : kDTypes) {
    if (known.dtype == dtype) {
      return known;
    }
  }
  LABELPROBE_CHECK(!"a dtype of the enumeration");
  return kDTypes[0];
}

}  // namespace

DType parse_dtype(std::string_view name) {
  std::vector<std::string> names;
  for (const NamedDType& known : kDTypes) {
    if (name == known.name || (!name.empty() && name == known.other_name)) {
      return known.dtype;
    }
    names.emplace_back(known.name);
  }
  throw ConfigError(unknown_choice("model dtype", name, names));
}

std::string_view dtype_name(DType dtype) {
  return entry(dtype).name;
}

Quantization parse_quantization(std::string_view name) {
  std::vector<std::string> names;
  for (const NamedQuantization& known : kQuantizations) {
    if (name == known.name) return known.quantization;
    names.emplace_back(known.name);
  }
  throw ConfigError(unknown_choice("quantisation", name, names));
}

std::string_view quantization_name(Quantization quantization) {
  for (const NamedQuantization& known : kQuantizations) {
    if (known.quantization == quantization) return known.name;
  }
  LABELPROBE_CHECK(!"a quantisation of the enumeration");
  return kQuantizations[0].name;
}

c10::ScalarType scalar_type(DType dtype) {
  return entry(dtype).scalar;
}

std::size_t dtype_bytes(DType dtype) {
  return c10::elementSize(scalar_type(dtype));
}

std::string safetensors_type(DType dtype) {
  return dtype == DType::Float32 ? "F32" : dtype == DType::BFloat16 ? "BF16" : "F16";
}

}  // namespace labelprobe::weights
