#include "labelprobe/files/mapped_file.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/read_files.h"
#include "labelprobe/files/unreadable.h"

#include "files/mappings.h"
#include "files/open_failure.h"

namespace labelprobe::files {

void fail_to(const char* what, const std::filesystem::path& path, int error) {
  const std::string message = path.string() + ": cannot be " + what + ": " + std::strerror(error);
  const bool is_lasting = error == ENOENT || error == ENOTDIR || error == EACCES ||
                          error == EPERM || error == ELOOP || error == ENAMETOOLONG;
  if (is_lasting) throw DataError(message);
  throw UnreadableError(message);
}

namespace {

// A small text that stands in a git repository for a large file which lies elsewhere.
bool is_lfs_pointer(int fd, const struct stat& status) {
  constexpr std::string_view kBegin = "version https://git-lfs.github.com/spec/";
  constexpr ::off_t kMostBytes = 1024;
  std::array<char, kBegin.size()> begin{};
  return status.st_size < kMostBytes &&
         ::pread(fd, begin.data(), begin.size(), 0) == static_cast<::ssize_t>(begin.size()) &&
         std::string_view(begin.data(), begin.size()) == kBegin;
}

// Reading them costs no more than mapping them.
constexpr ::off_t kMostBytesRead = 1 << 20;

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path, SmallFiles small) : path_(path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    fail_to("opened", path, errno);
  }
  struct stat status {};
  if (::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode)) {
    read_all(fd);
    return;
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(fd);
    throw DataError(path.string() + ": expected a file, found " +
                    (S_ISDIR(status.st_mode) ? "a folder" : "something else"));
  }
  if (is_lfs_pointer(fd, status)) {
    ::close(fd);
    throw DataError(path.string() +
                    ": found a git-LFS pointer, which only names the file that belongs here; fetch "
                    "it with `git lfs pull`, or download it anew");
  }
  if (status.st_size == 0 || (small == SmallFiles::Read && status.st_size <= kMostBytesRead)) {
    // One byte more: the room in which reading finds the end.
    content_.resize(static_cast<std::size_t>(status.st_size) + 1);
    read_all(fd);
    note_read(path);
    return;
  }
  size_ = static_cast<std::size_t>(status.st_size);
  void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
  const int error = errno;
  ::close(fd);
  if (mapped == MAP_FAILED) {
    fail_to("mapped", path, error);
  }
  data_ = static_cast<const std::byte*>(mapped);
  note_mapping(bytes(), path_.native());
  note_read(path);
}

void MappedFile::read_all(int fd) {
  constexpr std::size_t kPiece = 1U << 16U;
  std::size_t n = 0;
  ::ssize_t n_read = 1;
  while (n_read > 0 || (n_read < 0 && errno == EINTR)) {
    if (n == content_.size()) content_.resize(n + kPiece);
    n_read = ::read(fd, content_.data() + n, content_.size() - n);
    if (n_read > 0) n += static_cast<std::size_t>(n_read);
  }
  const int error = errno;
  ::close(fd);
  if (n_read < 0) {
    fail_to("read", path_, error);
  }
  size_ = n;
  content_.resize(n);
  data_ = content_.data();
}

MappedFile::~MappedFile() {
  if (data_ != nullptr && size_ > 0 && content_.empty()) {
    forget_mapping(data_);
    ::munmap(const_cast<std::byte*>(data_), size_);
  }
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      content_(std::move(other.content_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(content_, other.content_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace labelprobe::files
