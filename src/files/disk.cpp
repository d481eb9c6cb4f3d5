#include "labelprobe/files/disk.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "labelprobe/core/error.h"

namespace labelprobe::files {

namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what, int error) {
  throw ConfigError(fmt::format("{}: cannot {}: {}", path.string(), what, std::strerror(error)));
}

// A file descriptor closed at the end of the scope.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) {
      ::close(fd);
    }
  }
};

std::filesystem::path parent_of(const std::filesystem::path& path) {
  const std::filesystem::path parent = path.parent_path();
  return parent.empty() ? std::filesystem::path(".") : parent;
}

}  // namespace

AppendFile::AppendFile(AppendFile&& other) noexcept
    : disk_(other.disk_),
      path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_) {}

AppendFile& AppendFile::operator=(AppendFile&& other) noexcept {
  std::swap(disk_, other.disk_);
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(size_, other.size_);
  return *this;
}

AppendFile::~AppendFile() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

void AppendFile::append(std::string_view bytes) {
  try {
    disk_->write_all(fd_, bytes, path_);
  } catch (const ConfigError&) {
    // A full disk must not leave a half line in front of what is written once there is room again.
    if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0) {
      fail(path_, "cut off a failed write", errno);
    }
    throw;
  }
  size_ += bytes.size();
}

void AppendFile::sync() {
  disk_->step("sync", path_);
  if (::fdatasync(fd_) != 0) {
    fail(path_, "write to disk", errno);
  }
}

void Disk::step(std::string_view what, const std::filesystem::path& path) const {
  if (before_step_) {
    before_step_(fmt::format("{} {}", what, path.filename().string()));
  }
}

void Disk::write_all(int fd, std::string_view bytes, const std::filesystem::path& path) const {
  while (!bytes.empty()) {
    // Under a hook every write comes in halves, so that a torn one can be provoked.
    const std::size_t n_wanted = before_step_ ? (bytes.size() + 1) / 2 : bytes.size();
    step("write", path);
    const ssize_t n_written = ::write(fd, bytes.data(), n_wanted);
    if (n_written < 0 && errno != EINTR) {
      fail(path, "write", errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(n_written, 0)));
  }
}

void Disk::sync_folder(const std::filesystem::path& folder) const {
  step("sync folder", folder);
  const Descriptor opened{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  // Some network file systems cannot sync a folder and say so with EINVAL.
  if (opened.fd < 0 || (::fsync(opened.fd) != 0 && errno != EINVAL)) {
    fail(folder, "write the folder to disk", errno);
  }
}

AppendFile Disk::open_append(const std::filesystem::path& file) {
  const bool is_new = !size_of(file);
  step("open", file);
  const int fd = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) {
    fail(file, "open for writing", errno);
  }
  AppendFile opened(this, file, fd, size_of(file).value_or(0));
  if (is_new) {
    sync_folder(parent_of(file));
  }
  return opened;
}

void Disk::replace(const std::filesystem::path& file, std::string_view bytes) {
  const std::filesystem::path draft = file.string() + ".tmp";
  step("open", draft);
  {
    const Descriptor opened{::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
    if (opened.fd < 0) {
      fail(draft, "open for writing", errno);
    }
    write_all(opened.fd, bytes, draft);
    step("sync", draft);
    if (::fsync(opened.fd) != 0) {
      fail(draft, "write to disk", errno);
    }
  }
  rename(draft, file);
}

void Disk::cut_to(const std::filesystem::path& file, std::optional<std::uint64_t> n_bytes) {
  const std::optional<std::uint64_t> n_now = size_of(file);
  if (n_bytes.value_or(0) > n_now.value_or(0)) {
    throw DataError(
        fmt::format("{}: expected at least {} bytes, found {}; it was changed after an interrupted "
                    "run: restore it or move its folder away",
                    file.string(), *n_bytes, n_now ? std::to_string(*n_now) : "no file"));
  }
  if (!n_bytes) {
    remove(file);
    return;
  }
  if (n_now == n_bytes) {
    return;
  }
  step("cut", file);
  const Descriptor opened{::open(file.c_str(), O_WRONLY | O_CLOEXEC)};
  if (opened.fd < 0 || ::ftruncate(opened.fd, static_cast<off_t>(*n_bytes)) != 0 ||
      ::fsync(opened.fd) != 0) {
    fail(file, "cut off a half-written experiment", errno);
  }
}

void Disk::make_folders(const std::filesystem::path& folder) {
  if (folder.empty() || std::filesystem::is_directory(folder)) {
    return;
  }
  make_folders(folder.parent_path());
  step("make folder", folder);
  if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) {
    fail(folder, "make the folder", errno);
  }
  sync_folder(parent_of(folder));
}

void Disk::rename(const std::filesystem::path& from, const std::filesystem::path& to) {
  step("rename", from);
  if (::rename(from.c_str(), to.c_str()) != 0) {
    fail(from, "rename to " + to.string(), errno);
  }
  sync_folder(parent_of(to));
  if (parent_of(from) != parent_of(to)) {
    sync_folder(parent_of(from));
  }
}

void Disk::remove(const std::filesystem::path& file) {
  if (!size_of(file)) {
    return;
  }
  step("remove", file);
  if (::unlink(file.c_str()) != 0 && errno != ENOENT) {
    fail(file, "remove", errno);
  }
}

void Disk::remove_folder(const std::filesystem::path& folder) {
  std::error_code error;
  step("remove folder", folder);
  std::filesystem::remove_all(folder, error);
  if (error) {
    fail(folder, "remove", error.value());
  }
}

std::optional<std::uint64_t> size_of(const std::filesystem::path& file) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  return error ? std::nullopt : std::optional<std::uint64_t>(size);
}

FileLock::FileLock(const std::filesystem::path& file, IfHeld if_held)
    : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (fd_ < 0) {
    fail(file, "open for writing", errno);
  }
  Descriptor guard{fd_};  // closes it if the constructor fails
  int result = 0;
  do {
    result = ::flock(fd_, LOCK_EX | (if_held == IfHeld::Fail ? LOCK_NB : 0));
  } while (result != 0 && errno == EINTR);
  if (result != 0) {
    const int error = errno;
    char holder[24] = "";
    if (error != EWOULDBLOCK || ::pread(fd_, holder, sizeof holder - 1, 0) < 0) {
      fail(file, "lock", error);
    }
    const std::string process(holder, std::strspn(holder, "0123456789"));
    throw ConfigError(
        fmt::format("{}: process {} is writing this folder; wait for it to end or give the run "
                    "another --alternative-experiment-name",
                    parent_of(file).string(), process.empty() ? "(unknown)" : process));
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd_, 0) != 0 ||
      ::pwrite(fd_, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    fail(file, "write", errno);
  }
  guard.fd = -1;
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileLock::~FileLock() {
  if (fd_ >= 0) {
    // An empty lock file says that nobody writes; who died without saying so has lost the lock.
    [[maybe_unused]] const int ignored = ::ftruncate(fd_, 0);
    ::close(fd_);
  }
}

}  // namespace labelprobe::files
