// A new file whose bytes are written at the places where they belong, in any order.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace labelprobe::files {

// Throws ModelError (path, the system's reason) where it cannot be written.
class PlacedFile {
 public:
  // The file must not be there.
  explicit PlacedFile(std::filesystem::path path);
  ~PlacedFile();
  PlacedFile(const PlacedFile&) = delete;
  PlacedFile& operator=(const PlacedFile&) = delete;

  // From any number of threads.
  void write(std::span<const std::byte> bytes, std::size_t at);

  // Some file systems say only now that a write has failed.
  void close();

 private:
  std::filesystem::path path_;
  int fd_;
};

}  // namespace labelprobe::files
