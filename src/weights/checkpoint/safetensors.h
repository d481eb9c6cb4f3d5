// The safetensors container: an eight-byte length, a JSON header, the tensors' bytes.
// Goals: read hostile files safely, say where a broken one breaks. Non-goal: writing.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "labelprobe/files/mapped_file.h"

#include "weights/checkpoint/stored_tensor.h"

namespace labelprobe::weights {

class SafetensorsFile {
 public:
  // Throws ModelError naming file and tensor for a header that is malformed or does not describe
  // the file: tensors must lie one behind the other, without gaps, up to the end of the file.
  static SafetensorsFile open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  const std::vector<StoredTensor>& tensors() const { return tensors_; }
  std::span<const std::byte> header_bytes() const { return header_; }
  std::span<const std::byte> bytes() const { return file_.bytes(); }

 private:
  explicit SafetensorsFile(files::MappedFile file) : file_(std::move(file)) {}

  files::MappedFile file_;
  std::vector<StoredTensor> tensors_;  // in the order of their bytes
  std::span<const std::byte> header_;
};

// The weights of a model folder: model.safetensors, or else every file that
// model.safetensors.index.json names. Throws ModelError if there are neither (saying what is there
// instead), if a file is missing, or if a tensor is not in the file the index gives for it.
std::vector<SafetensorsFile> open_safetensors(const std::filesystem::path& folder);

}  // namespace labelprobe::weights
