// A file mapped read-only into memory; what comes through a pipe is read into memory, and so are
// small files: they cannot shrink under their reader.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace labelprobe::files {

// Movable, not copyable. The pages are shared with the system's cache: mapping a large file costs
// no memory of its own.
class MappedFile {
 public:
  // Whether a small file is mapped too: its reader may then tell the system to forget its pages.
  enum class SmallFiles { Read, Map };

  // Throws DataError if the file cannot be opened or is neither a regular file nor a pipe. An empty
  // file maps to an empty span.
  explicit MappedFile(const std::filesystem::path& path, SmallFiles small = SmallFiles::Read);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
  const std::filesystem::path& path() const { return path_; }

 private:
  void read_all(int fd);

  std::filesystem::path path_;
  std::vector<std::byte> content_;  // of a pipe, or a small file
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace labelprobe::files
