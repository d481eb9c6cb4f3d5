// Parts of a file, read when they are asked for: unlike a mapping, nothing of it stays in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace labelprobe::files {

// Movable, not copyable. Stays the file it has opened, whatever becomes of its name.
class SeekableFile {
 public:
  // Throws DataError if the file cannot be opened.
  explicit SeekableFile(std::filesystem::path path);
  ~SeekableFile();
  SeekableFile(SeekableFile&& other) noexcept;
  SeekableFile& operator=(SeekableFile&& other) noexcept;

  const std::filesystem::path& path() const { return path_; }

  // Fewer than `n_bytes` only where the file ends. Throws UnreadableError if it cannot be read.
  std::string read(std::uint64_t begin, std::size_t n_bytes) const;

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

// Hands out the bytes from `begin` to `end`, or to the file's end, in pieces of at most a MiB.
void read_pieces(const SeekableFile& file,
                 std::uint64_t begin,
                 std::uint64_t end,
                 const std::function<void(std::string_view piece)>& take);

// What fingerprint() (core/fingerprint.h) makes of the bytes from `begin` to `end`, which the file
// has to have. Throws as SeekableFile.
std::string fingerprint_of_part(const std::filesystem::path& path,
                                std::uint64_t begin,
                                std::uint64_t end);

}  // namespace labelprobe::files
