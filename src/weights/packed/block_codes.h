// What the blocks of GGUF's quantised types hold: a whole number for each element, its code, and
// for each group of elements a scale and, in some types, a number that is added.
//   element = scale * code + offset, each operation rounded to float32
// which is bit for bit what the `gguf` package of llama.cpp makes of a block.
#pragma once

#include <cstddef>
#include <cstdint>

#include "labelprobe/files/ggml_types.h"

namespace labelprobe::weights {

struct GroupForm {
  int n_elements = 0;  // of a group: 16 or 32
  bool has_offsets = false;
};

// Whether the type is made of codes; F32, F16, BF16 and F64 are not.
bool has_codes(files::GgmlType type);

// The groups of a type made of codes.
GroupForm group_form(files::GgmlType type);

// Where a row's parts go.
struct RowCodes {
  std::int8_t* codes;  // [n_elements]
  float* scales;       // [n_elements / group]
  float* offsets;      // the same; nothing is written where the form has none
};

// The codes of one row: `n_elements` is a multiple of the block's, `row` holds exactly that many
// blocks at any alignment.
void unpack_codes(files::GgmlType type,
                  const std::byte* row,
                  std::int64_t n_elements,
                  const RowCodes& result);

// The numbers of one row.
void dequantize_row(files::GgmlType type,
                    const std::byte* row,
                    std::int64_t n_elements,
                    float* result);

// MXFP4 as gpt-oss is stored outside GGUF: codes of neighbours in one byte, the first in its lower
// half, and apart from them a scale for each 32. Equal to transformers bit for bit.
void dequantize_mxfp4(const std::byte* codes,
                      const std::byte* scales,
                      std::int64_t n_elements,
                      float* result);

}  // namespace labelprobe::weights
