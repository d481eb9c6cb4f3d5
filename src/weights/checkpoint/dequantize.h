// The number formats of GGUF tensors: block sizes, and blocks back to float32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "labelprobe/files/gguf.h"

namespace labelprobe::weights {

// Quantised rows are sequences of blocks; plain types have blocks of one element.
struct BlockLayout {
  const char* name;  // "Q4_1"
  std::int64_t n_elements;
  std::int64_t n_bytes;
};

// Nothing for types we do not read.
std::optional<BlockLayout> block_layout(files::GgmlType type);

// "Q4_1"; "ggml type 10" for types we do not read.
std::string type_name(std::uint32_t type);

// The types block_layout() knows, for messages.
std::string known_type_names();

// Writes the `n_elements` numbers of one row. `n_elements` is a multiple of the block size, `row`
// holds exactly that many blocks at any alignment. Equal to the reference (the `gguf` package of
// llama.cpp) bit for bit: products and sums are rounded one by one. Quantised types only.
void dequantize_row(files::GgmlType type,
                    const std::byte* row,
                    std::int64_t n_elements,
                    float* out);

// The same of MXFP4 as gpt-oss is stored: codes of neighbours in one byte, the first in its lower
// half, and apart from them a scale for each 32. Equal to transformers bit for bit.
void dequantize_mxfp4(const std::byte* codes,
                      const std::byte* scales,
                      std::int64_t n_elements,
                      float* out);

}  // namespace labelprobe::weights
