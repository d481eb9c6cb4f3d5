#include "labelprobe/files/seekable_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "labelprobe/core/fingerprint.h"

#include "files/open_failure.h"

namespace labelprobe::files {

SeekableFile::SeekableFile(std::filesystem::path path)
    : path_(std::move(path)), fd_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (fd_ < 0) fail_to("opened", path_, errno);
}

SeekableFile::~SeekableFile() {
  if (fd_ >= 0) ::close(fd_);
}

SeekableFile::SeekableFile(SeekableFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

SeekableFile& SeekableFile::operator=(SeekableFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

std::string SeekableFile::read(std::uint64_t begin, std::size_t n_bytes) const {
  std::string bytes(n_bytes, '\0');
  std::size_t n = 0;
  while (n < n_bytes) {
    const ::ssize_t n_read =
        ::pread(fd_, bytes.data() + n, n_bytes - n, static_cast<::off_t>(begin + n));
    if (n_read < 0 && errno == EINTR) continue;
    if (n_read < 0) fail_to("read", path_, errno);
    if (n_read == 0) break;
    n += static_cast<std::size_t>(n_read);
  }
  bytes.resize(n);
  return bytes;
}

void read_pieces(const SeekableFile& file,
                 std::uint64_t begin,
                 std::uint64_t end,
                 const std::function<void(std::string_view piece)>& take) {
  constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 20;
  while (begin < end) {
    const std::string piece =
        file.read(begin, static_cast<std::size_t>(std::min(kPieceBytes, end - begin)));
    if (piece.empty()) return;
    take(piece);
    begin += piece.size();
  }
}

std::string fingerprint_of_part(const std::filesystem::path& path,
                                std::uint64_t begin,
                                std::uint64_t end) {
  Fingerprint print;
  // Their number goes in first, as with every text.
  std::array<std::byte, sizeof(std::uint64_t)> size{};
  for (std::size_t i = 0; i < size.size(); ++i) {
    size[i] = static_cast<std::byte>((end - begin) >> (8 * i));
  }
  print.add(size);
  read_pieces(SeekableFile(path), begin, end,
              [&](std::string_view piece) { print.add(std::as_bytes(std::span(piece))); });
  return print.hex();
}

}  // namespace labelprobe::files
