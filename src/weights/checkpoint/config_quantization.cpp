#include "weights/checkpoint/config_quantization.h"

#include <string>

#include "labelprobe/core/error.h"

namespace labelprobe::weights {
namespace {

// The threshold above which LLM.int8 keeps activations in the model's type.
constexpr double kInt8Threshold = 6.0;

Quantization read_four_bits(const files::JsonView& config) {
  const std::string_view type_key = "bnb_4bit_quant_type";
  const std::string type = config.has(type_key) ? config.at(type_key).string() : "fp4";
  const bool is_double = config.boolean_or("bnb_4bit_use_double_quant", false);
  if (type == "nf4") {
    return is_double ? Quantization::Nf4Double : Quantization::Nf4;
  }
  if (type != "fp4") {
    config.at(type_key).fail_expected("fp4 or nf4");
  }
  if (is_double) {
    config.at("bnb_4bit_use_double_quant")
        .fail_expected("false with fp4 (double quantisation is supported for nf4 only)");
  }
  return Quantization::Fp4;
}

Quantization read_eight_bits(const files::JsonView& config) {
  if (config.has("llm_int8_threshold") &&
      config.at("llm_int8_threshold").number() != kInt8Threshold) {
    config.at("llm_int8_threshold").fail_expected("6.0 (no other threshold is supported)");
  }
  if (config.boolean_or("llm_int8_has_fp16_weight", false)) {
    config.at("llm_int8_has_fp16_weight").fail_expected("false (weights in 8 bits)");
  }
  return Quantization::Int8;
}

}  // namespace

Quantization read_quantization(const files::JsonView& config) {
  if (!config.has("quantization_config")) {
    return Quantization::None;
  }
  const files::JsonView quantization = config.at("quantization_config");
  // Experts in MXFP4 become numbers of the model's type when they are loaded.
  if (quantization.has("quant_method") && quantization.at("quant_method").string() == "mxfp4") {
    return Quantization::None;
  }
  // The first checkpoints of this kind do not name their method.
  const bool has_flags = quantization.has("load_in_4bit") || quantization.has("load_in_8bit");
  if (quantization.has("quant_method") || !has_flags) {
    if (quantization.at("quant_method").string() != "bitsandbytes") {
      quantization.at("quant_method")
          .fail_expected(
              "bitsandbytes; weights quantised by other methods are not supported (use the model's "
              "original weights, which can be quantised while loading, or a GGUF file)");
    }
  }
  const bool has_four_bits = quantization.boolean_or("load_in_4bit", false);
  const bool has_eight_bits = quantization.boolean_or("load_in_8bit", false);
  if (has_four_bits == has_eight_bits) {
    const std::string found = has_four_bits ? "both" : "neither";
    quantization.find("load_in_4bit")
        .fail_expected("either load_in_4bit or load_in_8bit to be true", found);
  }
  return has_four_bits ? read_four_bits(quantization) : read_eight_bits(quantization);
}

}  // namespace labelprobe::weights
