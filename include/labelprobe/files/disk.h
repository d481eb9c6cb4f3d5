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

// Size in bytes; no value if there is no such file.
std::optional<std::uint64_t> size_of(const std::filesystem::path& file);

// Held by one process at a time; freed by the system when the process ends, however it ends. The
// file names the process while the lock is held.
class FileLock {
 public:
  enum class IfHeld { Wait, Fail };

  // Throws ConfigError naming the process if another one holds it (IfHeld::Fail), or if the lock
  // file cannot be made.
  FileLock(const std::filesystem::path& file, IfHeld if_held);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  int fd_ = -1;
};

}  // namespace labelprobe::files
