// From numbers to GGUF's blocks, the plain way: every group's scale follows from its largest and
// smallest number. llama.cpp's own quantisation tries several scales and errs less.
#pragma once

#include <cstddef>
#include <span>

#include "labelprobe/files/ggml_types.h"

namespace labelprobe::weights {

// Whether encode_row() knows the type: F32, F16, BF16, Q4_0, Q8_0 and Q4_K.
bool can_encode(files::GgmlType type);

//   numbers  whole blocks
//   blocks   as many bytes as they take
void encode_row(files::GgmlType type, std::span<const float> numbers, std::byte* blocks);

}  // namespace labelprobe::weights
