// The number types that weights are kept in and computed with, and their names.
#pragma once

#include <string_view>

namespace labelprobe::weights {

enum class DType { Float32, BFloat16, Float16 };

// "float32" (also "float"), "bfloat16", "float16" (also "half"). Throws ConfigError naming them.
DType parse_dtype(std::string_view name);
std::string_view dtype_name(DType dtype);

// How the linear layers of the decoder blocks are kept in memory. As bitsandbytes does it,
// embedding, norms and the output head stay in the model's DType, in which all of them compute.
enum class Quantization {
  None,
  Fp4,        // 4 bits, blocks of 64, float32 absmax
  Nf4,        // the same with the quantiles of a normal distribution
  Nf4Double,  // its absmax in 8 bits, blocks of 256
  Int8,       // LLM.int8: rows in 8 bits, activations above 6.0 in the model's DType
  Gguf,       // as their GGUF file has them, with embedding and head; other factors in 24 bits
};

// "none", "fp4", "nf4", "nf4-double", "int8". Throws ConfigError naming them.
Quantization parse_quantization(std::string_view name);
// The same, and "gguf".
std::string_view quantization_name(Quantization quantization);

// Whether what a GGUF file holds in blocks of codes stays so in memory (Quantization::Gguf).
enum class WeightForm { Auto, Packed, Unpacked };

// "auto", "packed", "unpacked". Throws ConfigError naming them.
WeightForm parse_weight_form(std::string_view name);
std::string_view weight_form_name(WeightForm form);

}  // namespace labelprobe::weights
