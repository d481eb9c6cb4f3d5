// The bytes of a GGUF file from its beginning on: numbers, texts and the values of its metadata.
// Files come from strangers: every read is checked against the end of the file, and says where it
// failed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/gguf.h"
#include "labelprobe/files/mapped_file.h"

namespace labelprobe::files {

// Walks over the bytes of a file; every read is checked against its end.
class GgufReader {
 public:
  explicit GgufReader(const MappedFile& file) : bytes_(file.bytes()), path_(file.path()) {}

  std::size_t position() const { return position_; }
  std::uint64_t n_left() const { return bytes_.size() - position_; }

  [[noreturn]] void fail(std::size_t offset, const std::string& message) const {
    throw ModelError(fmt::format("{}: byte {}: {}", path_.string(), offset, message));
  }

  template <class T>
  T read(const char* what) {
    require(sizeof(T), what);
    T number;
    std::memcpy(&number, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return number;
  }

  std::string_view read_string(const char* what) {
    const std::size_t start = position_;
    const auto length = read<std::uint64_t>(what);
    if (length > n_left()) {
      fail(start, fmt::format("{}{} of {} bytes, found only {} bytes to the end", "expected ", what,
                              length, n_left()));
    }
    const std::string_view text(reinterpret_cast<const char*>(bytes_.data() + position_), length);
    position_ += length;
    return text;
  }

  bool read_bool(const char* what) {
    const auto byte = read<std::uint8_t>(what);
    if (byte > 1) {
      fail(position_ - 1, fmt::format("{}{} (a bool, 0 or 1), found {}", "expected ", what, byte));
    }
    return byte == 1;
  }

  // A count of things of at least `min_bytes` each.
  std::uint64_t read_count(const char* what, std::uint64_t min_bytes) {
    const std::size_t start = position_;
    const auto count = read<std::uint64_t>(what);
    require_room(count, min_bytes, what, start);
    return count;
  }

  void require_room(std::uint64_t count,
                    std::uint64_t min_bytes,
                    const char* what,
                    std::size_t start) const {
    if (count > n_left() / min_bytes) {
      fail(start, fmt::format("{}{} that fits the remaining {} bytes, found {}", "expected ", what,
                              n_left(), count));
    }
  }

 private:
  void require(std::size_t n_bytes, const char* what) const {
    if (n_bytes > n_left()) {
      fail(position_, fmt::format("{}{}, found the end of the file", "expected ", what));
    }
  }

  std::span<const std::byte> bytes_;
  const std::filesystem::path& path_;
  std::size_t position_ = 0;
};

// A metadata value with its type before it.
GgufFile::Value read_gguf_value(GgufReader& reader);

// Names in messages come from the file: shortened, and only printable ASCII as it is.
std::string gguf_name_in_quotes(std::string_view name);

}  // namespace labelprobe::files
