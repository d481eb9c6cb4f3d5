#include "files/placed_file.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include "labelprobe/core/error.h"

namespace labelprobe::files {

namespace {

[[noreturn]] void fail_writing(const std::filesystem::path& path) {
  throw ModelError(fmt::format("{}: cannot be written: {}", path.string(), std::strerror(errno)));
}

}  // namespace

PlacedFile::PlacedFile(std::filesystem::path path)
    : path_(std::move(path)),
      fd_(::open(path_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666)) {
  if (fd_ < 0) fail_writing(path_);
}

PlacedFile::~PlacedFile() {
  if (fd_ >= 0) ::close(fd_);
}

void PlacedFile::write(std::span<const std::byte> bytes, std::size_t at) {
  while (!bytes.empty()) {
    const ::ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<::off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail_writing(path_);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    at += static_cast<std::size_t>(n);
  }
}

void PlacedFile::close() {
  if (::close(std::exchange(fd_, -1)) != 0) fail_writing(path_);
}

}  // namespace labelprobe::files
