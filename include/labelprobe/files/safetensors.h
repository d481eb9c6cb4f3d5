// The safetensors container, read: an eight-byte length, a JSON header, the tensors' bytes.
// Goals: read hostile files safely, say where a broken one breaks. Non-goals: what the tensors
// mean, and files that belong together. safetensors_writer.h writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/error_kind.h"
#include "labelprobe/files/mapped_file.h"

namespace labelprobe::files {

struct SafetensorsTensor {
  std::string name;
  std::string type;  // as the format has it: "F32", "BF16", "U8", ...
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;  // as many as shape and type need, any alignment
};

class SafetensorsFile {
 public:
  // Throws `error` naming file and tensor for a header that is malformed or does not describe the
  // file: tensors must lie one behind the other, without gaps, up to the end of the file.
  static SafetensorsFile open(const std::filesystem::path& path, ErrorKind error);

  const std::filesystem::path& path() const { return file_.path(); }
  // In the order of their bytes, which are inside the mapping that this object holds.
  const std::vector<SafetensorsTensor>& tensors() const { return tensors_; }
  // The texts under "__metadata__".
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  std::span<const std::byte> header_bytes() const { return header_; }
  std::span<const std::byte> bytes() const { return file_.bytes(); }

 private:
  explicit SafetensorsFile(MappedFile file) : file_(std::move(file)) {}

  MappedFile file_;
  std::vector<SafetensorsTensor> tensors_;
  std::map<std::string, std::string> metadata_;
  std::span<const std::byte> header_;
};

// The bytes of one element; 0 for a name that is no type of the format.
std::size_t safetensors_element_bytes(std::string_view type);

// "[49152, 576]"
std::string describe_shape(std::span<const std::int64_t> shape);

}  // namespace labelprobe::files
