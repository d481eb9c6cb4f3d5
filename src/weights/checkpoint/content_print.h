// The fingerprint of whole weight files. Every byte is read once; what is known of files that have
// not changed since is remembered, in this process and, of large ones, in a folder of the user's
// cache.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace labelprobe::weights {

// What recognises files as unchanged: their places, sizes and times. It decides only whether they
// are read again.
std::string identity_of(std::span<const std::filesystem::path> files);

class PrintMemory {
 public:
  // Contents of at least `least_bytes` are remembered below `folder` too; an empty folder is none.
  explicit PrintMemory(std::filesystem::path folder = cache_folder(),
                       std::size_t least_bytes = std::size_t{1} << 30);

  // XXH3 over all bytes of `parts`, which lie in `files`; `sample` is a fingerprint of some of
  // them.
  std::string content_print(std::span<const std::span<const std::byte>> parts,
                            std::span<const std::filesystem::path> files,
                            const std::string& sample) const;

 private:
  // XDG_CACHE_HOME/labelprobe/fingerprints, else ~/.cache/labelprobe/fingerprints.
  static std::filesystem::path cache_folder();

  std::filesystem::path folder_;
  std::size_t least_bytes_;
};

}  // namespace labelprobe::weights
