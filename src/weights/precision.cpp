// The names of number types: apart from torch, for the rooms above are built without it too.
#include "labelprobe/weights/precision.h"

#include "labelprobe/core/enum_names.h"

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

constexpr auto kWeightForms = enum_names<WeightForm>("form of weights",
                                                     {{WeightForm::Auto, "auto"},
                                                      {WeightForm::Packed, "packed"},
                                                      {WeightForm::Unpacked, "unpacked"}});

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
  // Nobody asks for it by this name: WeightForm says whether weights stay as they are.
  if (quantization == Quantization::Gguf) return "gguf";
  return kQuantizations.name_of(quantization);
}

WeightForm parse_weight_form(std::string_view name) {
  return kWeightForms.parse(name);
}

std::string_view weight_form_name(WeightForm form) {
  return kWeightForms.name_of(form);
}

}  // namespace labelprobe::weights
