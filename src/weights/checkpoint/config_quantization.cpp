#include "weights/checkpoint/config_quantization.h"

#include <string>

#include "labelprobe/core/error.h"

namespace labelprobe::weights {
namespace {

// The threshold above which LLM.int8 keeps activations in the model's type.
constexpr double kInt8Threshold = 6.0;

Quantization read_four_bits(const JsonReader& config) {
  const std::string_view type_key = "bnb_4bit_quant_type";
  const std::string type = config.has(type_key) ? config.string(type_key) : "fp4";
  const bool is_double = config.boolean_or("bnb_4bit_use_double_quant", false);
  if (type == "nf4") {
    return is_double ? Quantization::Nf4Double : Quantization::Nf4;
  }
  if (type != "fp4") {
    config.fail(type_key, "fp4 or nf4");
  }
  if (is_double) {
    config.fail("bnb_4bit_use_double_quant",
                "false with fp4 (double quantisation is supported for nf4 only)");
  }
  return Quantization::Fp4;
}

Quantization read_eight_bits(const JsonReader& config) {
  if (config.has("llm_int8_threshold") && config.number("llm_int8_threshold") != kInt8Threshold) {
    config.fail("llm_int8_threshold", "6.0 (no other threshold is supported)");
  }
  if (config.boolean_or("llm_int8_has_fp16_weight", false)) {
    config.fail("llm_int8_has_fp16_weight", "false (weights in 8 bits)");
  }
  return Quantization::Int8;
}

}  // namespace

Quantization read_quantization(const JsonReader& config) {
  if (!config.has("quantization_config")) {
    return Quantization::None;
  }
  const JsonReader quantization = config.object("quantization_config");
  // The first checkpoints of this kind do not name their method.
  const bool has_flags = quantization.has("load_in_4bit") || quantization.has("load_in_8bit");
  if (quantization.has("quant_method") || !has_flags) {
    if (quantization.string("quant_method") != "bitsandbytes") {
      quantization.fail(
          "quant_method",
          "bitsandbytes; weights quantised by other methods are not supported (use the model's "
          "original weights, which can be quantised while loading, or a GGUF file)");
    }
  }
  const bool has_four_bits = quantization.boolean_or("load_in_4bit", false);
  const bool has_eight_bits = quantization.boolean_or("load_in_8bit", false);
  if (has_four_bits == has_eight_bits) {
    const std::string found = has_four_bits ? "both" : "neither";
    quantization.fail("load_in_4bit", "either load_in_4bit or load_in_8bit to be true", found);
  }
  return has_four_bits ? read_four_bits(quantization) : read_eight_bits(quantization);
}

}  // namespace labelprobe::weights
