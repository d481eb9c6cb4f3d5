// A weight matrix that stays in the blocks of its GGUF file.
#pragma once

#include <cstddef>
#include <cstdint>

#include <ATen/core/Tensor.h>

#include "labelprobe/files/ggml_types.h"

namespace labelprobe::weights {

struct PackedWeight {
  files::GgmlType type = files::GgmlType::Q8_0;  // one that has codes
  std::int64_t height = 0;                       // [height, width], row-major
  std::int64_t width = 0;
  at::Tensor blocks;  // uint8 [height, bytes of a row], on the CPU

  const std::byte* row(std::int64_t i) const {
    return reinterpret_cast<const std::byte*>(blocks.const_data_ptr<std::uint8_t>()) +
           i * blocks.size(1);
  }
};

// The bytes of a row of `width` elements.
std::int64_t packed_row_bytes(files::GgmlType type, std::int64_t width);

// Rows `indices` [n] (int64, on the CPU) as float32 [n, width].
at::Tensor packed_rows(const PackedWeight& weight, const at::Tensor& indices);

}  // namespace labelprobe::weights
