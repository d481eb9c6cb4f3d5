// The GGUF container (ggml's `docs/gguf.md`, versions 2 and 3, little-endian): metadata and tensor
// directory. Goals: read hostile files safely, say where a broken one breaks. Non-goals: writing,
// big-endian files, dequantising (that is the model room's) and any meaning of the keys.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "labelprobe/files/ggml_types.h"
#include "labelprobe/files/mapped_file.h"

namespace labelprobe::files {

struct GgufTensor {
  std::string name;
  std::uint32_t type = 0;            // a GgmlType, or a number of a type we do not read
  std::vector<std::int64_t> shape;   // row-major as torch counts: the file's dimensions reversed
  std::span<const std::byte> bytes;  // inside the mapping; its length is checked for the types of
                                     // GgmlType, empty otherwise
};

// Whether a file begins as GGUF files do, whatever its name: stores like Ollama's name files by
// their contents.
bool is_gguf(const std::filesystem::path& path);

class GgufFile {
 public:
  using Value = std::variant<std::uint64_t,
                             std::int64_t,
                             double,
                             bool,
                             std::string,
                             std::vector<std::uint64_t>,
                             std::vector<std::int64_t>,
                             std::vector<double>,
                             std::vector<bool>,
                             std::vector<std::string>>;

  // Throws ModelError naming the file and the byte offset if it is no GGUF file or its directory
  // does not fit the file.
  static GgufFile open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  const std::map<std::string, Value, std::less<>>& metadata() const { return metadata_; }
  const std::vector<GgufTensor>& tensors() const { return tensors_; }

  // Metadata by key. The plain forms throw ModelError (file, key, expected type) if the key is
  // missing or of another type; integers of any width and sign convert, with a range check.
  bool has(std::string_view key) const;
  std::int64_t integer(std::string_view key) const;
  double number(std::string_view key) const;
  const std::string& string(std::string_view key) const;
  const std::vector<std::string>& strings(std::string_view key) const;
  std::vector<std::int64_t> integers(std::string_view key) const;
  bool boolean_or(std::string_view key, bool otherwise) const;
  std::int64_t integer_or(std::string_view key, std::int64_t otherwise) const;
  double number_or(std::string_view key, double otherwise) const;
  std::string string_or(std::string_view key, std::string_view otherwise) const;

  // Bytes of the file that stand before the tensor data: what identifies the file without reading
  // its weights.
  std::span<const std::byte> header_bytes() const { return header_; }

 private:
  explicit GgufFile(MappedFile file) : file_(std::move(file)) {}

  MappedFile file_;
  std::map<std::string, Value, std::less<>> metadata_;
  std::vector<GgufTensor> tensors_;
  std::span<const std::byte> header_;
};

}  // namespace labelprobe::files
