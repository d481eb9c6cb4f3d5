// NumPy's .npy files, read: matrices of little-endian float32 or float64 in C order, nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "labelprobe/files/mapped_file.h"

namespace labelprobe::files {

struct NpyMatrix {
  int n_number_bytes = 0;  // 4 or 8
  std::uint64_t n_rows = 0;
  std::uint64_t n_columns = 0;
  std::span<const std::byte>
      bytes;  // inside the mapping; whether they fit the shape is not checked
};

bool is_npy(std::string_view content);

// Throws DataError naming the file if it is no such matrix.
NpyMatrix read_npy(const MappedFile& file);

}  // namespace labelprobe::files
