// Bytes made smaller and as they were, and bytes as text: for tables that come compressed, and for
// files that carry data inside of a text, such as pages for a browser.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/limits.h"
#include "labelprobe/files/mapped_file.h"

namespace labelprobe::files {

enum class Compression { None, Gzip, Zstd };

// What the end of the name says, in any case of letters: .gz, .zst.
Compression compression_of(const std::filesystem::path& path);

// "tweets.csv.gz" -> "tweets.csv"; a name without such an end is itself.
std::filesystem::path without_compression(const std::filesystem::path& path);

// The bytes that were compressed, of all parts where several follow each other. Throws DataError,
// opening with `name`, where they are broken, cut off or more than `n_most`.
std::vector<std::byte> unpacked(std::string_view bytes,
                                Compression compression,
                                const std::string& name,
                                std::size_t n_most = limits::kUnpackedBytes);

// A file as it is, or what is in it where its name says that it is compressed. Movable.
class UnpackedFile {
 public:
  // Throws DataError if there is no such file or it is broken.
  //   expected  what it should be, for the message
  UnpackedFile(const std::filesystem::path& path, std::string_view expected);

  std::string_view text() const;

 private:
  MappedFile file_;
  std::optional<std::vector<std::byte>> unpacked_;
};

// A gzip file's bytes (RFC 1952), without a time in it: equal bytes give equal files. Throws
// InternalError if zlib fails.
std::string gzip(std::string_view bytes);

// RFC 4648, with its padding and without line breaks.
std::string base64(std::string_view bytes);

}  // namespace labelprobe::files
