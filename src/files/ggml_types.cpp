#include "labelprobe/files/ggml_types.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace labelprobe::files {
namespace {

struct KnownType {
  GgmlType type;
  BlockLayout layout;
};

constexpr std::array kKnownTypes = {
    KnownType{GgmlType::F32, {"F32", 1, 4}},
    KnownType{GgmlType::F16, {"F16", 1, 2}},
    KnownType{GgmlType::BF16, {"BF16", 1, 2}},
    KnownType{GgmlType::F64, {"F64", 1, 8}},
    KnownType{GgmlType::Q8_0, {"Q8_0", 32, 34}},
    KnownType{GgmlType::Q4_0, {"Q4_0", 32, 18}},
    KnownType{GgmlType::Q4_1, {"Q4_1", 32, 20}},
    KnownType{GgmlType::Q5_0, {"Q5_0", 32, 22}},
    KnownType{GgmlType::Q5_1, {"Q5_1", 32, 24}},
    KnownType{GgmlType::Q2_K, {"Q2_K", 256, 84}},
    KnownType{GgmlType::Q3_K, {"Q3_K", 256, 110}},
    KnownType{GgmlType::Q4_K, {"Q4_K", 256, 144}},
    KnownType{GgmlType::Q5_K, {"Q5_K", 256, 176}},
    KnownType{GgmlType::Q6_K, {"Q6_K", 256, 210}},
    KnownType{GgmlType::IQ1_S, {"IQ1_S", 256, 50}},
    KnownType{GgmlType::IQ1_M, {"IQ1_M", 256, 56}},
    KnownType{GgmlType::IQ2_XXS, {"IQ2_XXS", 256, 66}},
    KnownType{GgmlType::IQ2_XS, {"IQ2_XS", 256, 74}},
    KnownType{GgmlType::IQ2_S, {"IQ2_S", 256, 82}},
    KnownType{GgmlType::IQ3_XXS, {"IQ3_XXS", 256, 98}},
    KnownType{GgmlType::IQ3_S, {"IQ3_S", 256, 110}},
    KnownType{GgmlType::IQ4_NL, {"IQ4_NL", 32, 18}},
    KnownType{GgmlType::IQ4_XS, {"IQ4_XS", 256, 136}},
    KnownType{GgmlType::TQ1_0, {"TQ1_0", 256, 54}},
    KnownType{GgmlType::TQ2_0, {"TQ2_0", 256, 66}},
    KnownType{GgmlType::MXFP4, {"MXFP4", 32, 17}},
    KnownType{GgmlType::NVFP4, {"NVFP4", 64, 36}},
};

}  // namespace

std::optional<BlockLayout> block_layout(GgmlType type) {
  const auto known = std::find_if(kKnownTypes.begin(), kKnownTypes.end(),
                                  [&](const KnownType& one) { return one.type == type; });
  if (known == kKnownTypes.end()) return std::nullopt;
  return known->layout;
}

std::string ggml_type_name(std::uint32_t type) {
  const auto layout = block_layout(static_cast<GgmlType>(type));
  return layout ? layout->name : fmt::format("ggml type {}", type);
}

std::string known_ggml_types() {
  std::string names;
  for (const KnownType& known : kKnownTypes) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", known.layout.name);
  }
  return names;
}

}  // namespace labelprobe::files
