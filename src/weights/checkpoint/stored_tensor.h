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
};

using TensorMap = std::map<std::string, StoredTensor, std::less<>>;

}  // namespace labelprobe::weights
