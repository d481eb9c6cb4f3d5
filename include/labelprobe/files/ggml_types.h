// The number types of GGUF's tensors (ggml_type) and how large their blocks are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace labelprobe::files {

// Type numbers as they stand in the file; those that are read.
enum class GgmlType : std::uint32_t {
  F32 = 0,
  F16 = 1,
  Q4_0 = 2,
  Q4_1 = 3,
  Q5_0 = 6,
  Q5_1 = 7,
  Q8_0 = 8,
  Q2_K = 10,
  Q3_K = 11,
  Q4_K = 12,
  Q5_K = 13,
  Q6_K = 14,
  IQ2_XXS = 16,
  IQ2_XS = 17,
  IQ3_XXS = 18,
  IQ1_S = 19,
  IQ4_NL = 20,
  IQ3_S = 21,
  IQ2_S = 22,
  IQ4_XS = 23,
  F64 = 28,
  IQ1_M = 29,
  BF16 = 30,
  TQ1_0 = 34,
  TQ2_0 = 35,
  MXFP4 = 39,
  NVFP4 = 40,
};

// Quantised rows are sequences of blocks; plain types have blocks of one element.
struct BlockLayout {
  const char* name;  // "Q4_1"
  std::int64_t n_elements;
  std::int64_t n_bytes;
};

// Nothing for types that are not read.
std::optional<BlockLayout> block_layout(GgmlType type);

// "Q4_1"; "ggml type 9" for types that are not read.
std::string ggml_type_name(std::uint32_t type);

// The types block_layout() knows, for messages.
std::string known_ggml_types();

}  // namespace labelprobe::files
