// Every change this room makes on disk goes through here: made durable before the call returns, and
// stoppable before each step, so that tests can end the process at any of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "labelprobe/core/error.h"

namespace labelprobe::files {

class Disk;

// A file that only grows. What append() wrote is durable after sync().
class AppendFile {
 public:
  AppendFile(AppendFile&& other) noexcept;
  AppendFile& operator=(AppendFile&& other) noexcept;
  ~AppendFile();

  // All of `bytes` or nothing: a failed write is cut off again before ConfigError is thrown.
  void append(std::string_view bytes);
  void sync();
  std::uint64_t size() const { return size_; }

 private:
  friend class Disk;
  AppendFile(Disk* disk, std::filesystem::path path, int fd, std::uint64_t size)
      : disk_(disk), path_(std::move(path)), fd_(fd), size_(size) {}

  Disk* disk_;
  std::filesystem::path path_;
  int fd_;
  std::uint64_t size_;
};

// Functions throw ConfigError (path, what failed, the system's reason).
class Disk {
 public:
  // Called before each change with its description.
  using BeforeStep = std::function<void(std::string_view step)>;

  explicit Disk(BeforeStep before_step = {}) : before_step_(std::move(before_step)) {}
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  AppendFile open_append(const std::filesystem::path& file);

  // The file holds either its old content or `bytes`, never anything between.
  void replace(const std::filesystem::path& file, std::string_view bytes);

  // Cuts the file to `n_bytes`; no value = the file shall not exist. Throws DataError if it is
  // shorter.
  void cut_to(const std::filesystem::path& file, std::optional<std::uint64_t> n_bytes);

  void make_folders(const std::filesystem::path& folder);
  void rename(const std::filesystem::path& from, const std::filesystem::path& to);
  void remove(const std::filesystem::path& file);
  void remove_folder(const std::filesystem::path& folder);

 private:
  friend class AppendFile;
  void step(std::string_view what, const std::filesystem::path& path) const;
  void write_all(int fd, std::string_view bytes, const std::filesystem::path& path) const;
  void sync_folder(const std::filesystem::path& folder) const;

  BeforeStep before_step_;
};

// Throws DataError if the file is shorter than an interrupted process left it.
void check_longer(const std::filesystem::path& file, std::uint64_t n_bytes);

// Size in bytes; no value if there is no such file.
std::optional<std::uint64_t> size_of(const std::filesystem::path& file);

// Another process holds a lock, and waiting for it was not wanted or is over.
class LockedError : public ConfigError {
 public:
  using ConfigError::ConfigError;
};

// How to meet a lock that another process holds.
struct Patience {
  std::optional<int> seconds;  // to wait at most; unset = as long as it takes
  // Whether a lock that a process of another machine has left may be taken, see FileLock.
  bool takes_over = false;
  // Called once, after a second of waiting, with the holder: "process 12 on ada, since 2026-11-29
  // 21:26:00 +0000".
  std::function<void(const std::string& holder)> on_wait;
};

// Held by one process at a time; freed by the system when the process ends, however it ends. The
// file names process, machine and time while the lock is held. Some shared file systems keep the
// locks of each machine to itself: a file that names a process of another machine, and seems to be
// free, counts as held until somebody takes it over.
class FileLock {
 public:
  // Waits as long as `patience` lasts, then throws LockedError naming the holder; at once if that
  // is of another machine and nobody knows whether it is alive. Throws ConfigError if the lock file
  // cannot be made.
  FileLock(const std::filesystem::path& file, const Patience& patience);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

  // Nothing where another process holds it.
  static std::optional<FileLock> try_take(const std::filesystem::path& file,
                                          bool takes_over = false);

  // The process that holds it; nothing where none does.
  static std::optional<std::string> holder(const std::filesystem::path& file,
                                           bool takes_over = false);

  // Returns once nobody holds it; throws as the constructor does. Leaves no file.
  static void wait_until_free(const std::filesystem::path& file, const Patience& patience);

  // False if the lock file was deleted, moved or replaced: others may hold another one there.
  bool is_in_place() const;

  // Its folder was renamed by the holder.
  void moved_to(std::filesystem::path file) { file_ = std::move(file); }

 private:
  FileLock(std::filesystem::path file, int fd) : file_(std::move(file)), fd_(fd) {}

  std::filesystem::path file_;
  int fd_ = -1;
};

}  // namespace labelprobe::files
