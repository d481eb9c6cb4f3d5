// A tensor as it lies in a weight file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/files/gguf.h"

namespace labelprobe::weights {

struct StoredTensor {
  std::string name;       // the Hugging Face name of the parameter
  std::string file_name;  // what the file calls it
  std::filesystem::path file;
  std::optional<files::GgmlType> type;  // nothing: a type we do not read
  std::string type_name;                // as the file has it
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;  // inside a mapping that the Checkpoint holds; as many as shape
                                     // and type need, any alignment
  // Above 0: the rows of each of so many heads are stored as 0, half, 1, half + 1, ... (GGUF's
  // order for rotary embeddings that turn neighbours) and are put back into the order 0, 1, 2, ...
  int n_interleaved_heads = 0;
  // A part of a larger tensor: bytes from a row to the next, and from a number of a row to the
  // next; 0: they lie one behind the other. Rows of MXFP4 are whole.
  std::int64_t row_stride = 0;
  std::int64_t number_stride = 0;
  // MXFP4 as gpt-oss has it: the scales lie apart from the codes, those of a row so many bytes from
  // those of the next.
  std::span<const std::byte> scales = {};
  std::int64_t scale_stride = 0;
};

using TensorMap = std::map<std::string, StoredTensor, std::less<>>;

}  // namespace labelprobe::weights
