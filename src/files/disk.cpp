#include "labelprobe/files/disk.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/lock_holder.h"

namespace labelprobe::files {

namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what, int error) {
  throw ConfigError(fmt::format("{}: cannot {}: {}", path.string(), what, std::strerror(error)));
}

// A file descriptor closed at the end of the scope.
struct FolderDescriptor {
  int fd;
  ~FolderDescriptor() {
    if (fd >= 0) {
      ::close(fd);
    }
  }
};

std::filesystem::path parent_of(const std::filesystem::path& path) {
  const std::filesystem::path parent = path.parent_path();
  return parent.empty() ? std::filesystem::path(".") : parent;
}

// The process of another machine that has left a lock which this machine does not see any more.
std::optional<std::string> left_elsewhere(const std::filesystem::path& file) {
  const FolderDescriptor opened{::open(file.c_str(), O_RDWR | O_CLOEXEC)};
  if (opened.fd < 0 || ::flock(opened.fd, LOCK_EX | LOCK_NB) != 0) return std::nullopt;
  const std::string holder = read_holder(opened.fd);
  return is_of_other_machine(holder) ? std::optional(holder) : std::nullopt;
}

// Whether the path still names the open file.
bool is_still_named(int fd, const std::filesystem::path& file) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(fd, &opened) == 0 && ::stat(file.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

// Asks `is_over` until it is, or until patience ends.
void wait_until(const std::filesystem::path& file,
                const Patience& patience,
                const std::function<bool()>& is_over) {
  constexpr double kSilence = 1;  // seconds until it is said that something is waited for
  const auto start = std::chrono::steady_clock::now();
  for (bool is_told = false; !is_over();) {
    if (const auto left = left_elsewhere(file)) {
      throw LockedError(
          fmt::format("{}: {}", parent_of(file).string(), describe_left_elsewhere(*left)));
    }
    const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - start;
    const std::string holder = FileLock::holder(file).value_or("process (unknown)");
    if (patience.seconds && waited.count() >= *patience.seconds) {
      throw LockedError(
          fmt::format("{}: {} is writing this folder; try again later, or give the run more time "
                      "to wait or another --alternative-experiment-name",
                      parent_of(file).string(), holder));
    }
    if (!is_told && waited.count() >= kSilence) {
      is_told = true;
      if (patience.on_wait) patience.on_wait(holder);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
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
  const FolderDescriptor opened{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
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
    const FolderDescriptor opened{
        ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
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
  check_longer(file, n_bytes.value_or(0));
  const std::optional<std::uint64_t> n_now = size_of(file);
  if (!n_bytes) {
    remove(file);
    return;
  }
  if (n_now == n_bytes) {
    return;
  }
  step("cut", file);
  const FolderDescriptor opened{::open(file.c_str(), O_WRONLY | O_CLOEXEC)};
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

void check_longer(const std::filesystem::path& file, std::uint64_t n_bytes) {
  const std::optional<std::uint64_t> n_now = size_of(file);
  if (n_bytes > n_now.value_or(0)) {
    throw DataError(
        fmt::format("{}: expected at least {} bytes, found {}; it was changed after an interrupted "
                    "run",
                    file.string(), n_bytes, n_now ? std::to_string(*n_now) : "no file"));
  }
}

std::optional<std::uint64_t> size_of(const std::filesystem::path& file) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  return error ? std::nullopt : std::optional<std::uint64_t>(size);
}

FileLock::FileLock(const std::filesystem::path& file, const Patience& patience) {
  std::optional<FileLock> taken;
  wait_until(file, patience,
             [&] { return (taken = try_take(file, patience.takes_over)).has_value(); });
  *this = std::move(*taken);
}

FileLock::FileLock(FileLock&& other) noexcept
    : file_(std::move(other.file_)), fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(file_, other.file_);
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

std::optional<FileLock> FileLock::try_take(const std::filesystem::path& file, bool takes_over) {
  for (;;) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
      fail(file, "open for writing", errno);
    }
    FolderDescriptor guard{fd};
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK) return std::nullopt;
      fail(file, "lock", errno);
    }
    // Whoever held it may have removed the file in the meantime.
    if (!is_still_named(fd, file)) continue;
    if (!takes_over && is_of_other_machine(read_holder(fd))) return std::nullopt;
    const std::string holder = describe_this_process() + "\n";
    if (::ftruncate(fd, 0) != 0 ||
        ::pwrite(fd, holder.data(), holder.size(), 0) != static_cast<ssize_t>(holder.size())) {
      fail(file, "write", errno);
    }
    guard.fd = -1;
    return FileLock(file, fd);
  }
}

std::optional<std::string> FileLock::holder(const std::filesystem::path& file, bool takes_over) {
  const FolderDescriptor opened{::open(file.c_str(), O_RDWR | O_CLOEXEC)};
  if (opened.fd < 0) return std::nullopt;
  const bool is_free = ::flock(opened.fd, LOCK_EX | LOCK_NB) == 0;
  if (!is_free && errno != EWOULDBLOCK) return std::nullopt;
  const std::string name = read_holder(opened.fd);
  if (is_free && (takes_over || !is_of_other_machine(name))) return std::nullopt;
  return "process " + (name.empty() ? "(unknown)" : name);
}

void FileLock::wait_until_free(const std::filesystem::path& file, const Patience& patience) {
  wait_until(file, patience, [&] { return !holder(file, patience.takes_over); });
}

bool FileLock::is_in_place() const {
  if (!is_still_named(fd_, file_)) return false;
  // Opened anew, for a shared file system shows what others wrote only then.
  const FolderDescriptor opened{::open(file_.c_str(), O_RDONLY | O_CLOEXEC)};
  const std::string ours = fmt::format("{} on {}, since ", ::getpid(), this_machine());
  return opened.fd >= 0 && read_holder(opened.fd).starts_with(ours);
}

}  // namespace labelprobe::files
