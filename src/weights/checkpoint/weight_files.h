// The tensors in the files of one model, each under one name: safetensors (single or sharded)
// beside config.json, or GGUF. Which there must be, and in which shapes, is known to those who open
// them: Checkpoint and the sentence encoders.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/files/gguf.h"

#include "weights/checkpoint/safetensors.h"
#include "weights/checkpoint/stored_tensor.h"

namespace labelprobe::weights {

class WeightFiles {
 public:
  // The name under which a tensor is kept; empty leaves it out.
  using Naming = std::function<std::string(std::string_view name_in_file)>;

  // Opens the safetensors of a folder with config.json; without a naming the names stay. Throws
  // ModelError as open_safetensors() does, and for a tensor that is there twice.
  explicit WeightFiles(const std::filesystem::path& folder, const Naming& naming = {});

  // Those of a GGUF file, with what has been read from it. Throws as above.
  WeightFiles(files::GgufFile file, std::vector<StoredTensor> tensors);

  const TensorMap& tensors() const { return tensors_; }

  // Throws ModelError if there is none of that name.
  const StoredTensor& find(std::string_view name) const;

  // From now on the tensor has another name, which none has yet.
  void rename(std::string_view name, const std::string& new_name);

  // From now on these tensors are there instead of those of the names.
  void replace(const std::vector<std::string>& names, std::vector<StoredTensor> tensors);

  // Recognises the weights: XXH3 over config.json (or the GGUF header) and every byte of the weight
  // files. The same files give the same fingerprint in any folder. Reads them all, unless they were
  // read before and have not changed since.
  std::string fingerprint() const;

 private:
  void add(StoredTensor tensor);
  std::string sample() const;  // of headers, sizes and the first 4 KiB of every tensor

  std::filesystem::path path_;
  std::vector<files::SafetensorsFile> safetensors_;
  std::optional<files::GgufFile> gguf_;
  TensorMap tensors_;
};

// Throws ModelError (file, tensor, expected, found) if the tensor has another shape, or a type that
// we do not read.
void check_form(const StoredTensor& tensor, std::span<const std::int64_t> shape);

}  // namespace labelprobe::weights
