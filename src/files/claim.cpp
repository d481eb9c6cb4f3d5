#include "labelprobe/files/claim.h"

#include <atomic>
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

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const std::string& what) {
  throw ConfigError(fmt::format("{}: cannot {}: {}", path.string(), what, std::strerror(errno)));
}

// Closed at the end of the scope, unless it is taken away.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

// A name beside the file that no other process of any machine uses.
fs::path draft_of(const fs::path& file) {
  static std::atomic<int> n_drafts = 0;
  std::string process = describe_this_process();
  process.resize(process.find(", since "));
  for (char& c : process) {
    if (c == ' ' || c == '/') c = '.';
  }
  return fmt::format("{}.{}.{}", file.string(), process, ++n_drafts);
}

bool are_the_same(int fd, const fs::path& file) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(fd, &opened) == 0 && ::stat(file.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

// Gives the draft a second name, if nothing has that; the first one goes. A reply that a network
// lost does not matter: the number of names tells.
bool put_in_place(const fs::path& draft, int fd, const fs::path& file) {
  const bool is_linked = ::link(draft.c_str(), file.c_str()) == 0;
  const int error = errno;
  struct stat made {};
  const bool is_there = is_linked || (::fstat(fd, &made) == 0 && made.st_nlink == 2);
  ::unlink(draft.c_str());
  if (!is_there && error != EEXIST) {
    errno = error;
    fail(file, "make the file");
  }
  return is_there;
}

// The draft, open, with these bytes; -1 where the folder is not there.
int write_draft(const fs::path& draft, std::string_view bytes) {
  const int fd = ::open(draft.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) {
    if (errno == ENOENT) return fd;
    fail(draft, "open for writing");
  }
  Descriptor guard{fd};
  std::string_view left = bytes;
  while (!left.empty()) {
    const ssize_t n = ::write(fd, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      ::unlink(draft.c_str());
      errno = error;
      fail(draft, "write");
    }
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fsync(fd) != 0) fail(draft, "write to disk");
  return std::exchange(guard.fd, -1);
}

enum class Holder { None, Alive, Dead, Elsewhere };

struct Found {
  Holder holder = Holder::None;
  std::string name;
  int fd = -1;  // of the file, to know it again
};

Found look_at(const fs::path& file, bool takes_over) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return {};
  Found found{Holder::Alive, read_holder(fd), fd};
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {
    ::flock(fd, LOCK_UN);
    found.holder = !takes_over && is_of_other_machine(found.name) ? Holder::Elsewhere
                   : are_the_same(fd, file)                       ? Holder::Dead
                                                                  : Holder::None;
  }
  return found;
}

// Takes away what a dead process has left. Who was faster meanwhile gets its file back.
void break_claim(const fs::path& file, int fd) {
  const fs::path aside = draft_of(file);
  if (::rename(file.c_str(), aside.c_str()) != 0) return;
  if (!are_the_same(fd, aside)) {
    [[maybe_unused]] const int ignored = ::link(aside.c_str(), file.c_str());
  }
  ::unlink(aside.c_str());
}

}  // namespace

bool put_new_file(const fs::path& file, std::string_view bytes) {
  const fs::path draft = draft_of(file);
  const Descriptor made{write_draft(draft, bytes)};
  if (made.fd < 0) fail(draft, "open for writing");
  return put_in_place(draft, made.fd, file);
}

std::optional<Claim> Claim::take(const fs::path& file,
                                 const Patience& patience,
                                 const std::string& work) {
  constexpr double kSilence = 1;  // seconds until it is said that something is waited for
  const auto start = std::chrono::steady_clock::now();
  for (bool is_told = false;;) {
    const Found found = look_at(file, patience.takes_over);
    const Descriptor opened{found.fd};
    if (found.holder == Holder::Dead) break_claim(file, found.fd);
    if (found.holder == Holder::None || found.holder == Holder::Dead) {
      const fs::path draft = draft_of(file);
      Descriptor made{write_draft(draft, describe_this_process() + "\n")};
      if (made.fd < 0) return std::nullopt;
      ::flock(made.fd, LOCK_EX | LOCK_NB);
      if (put_in_place(draft, made.fd, file)) {
        return Claim(file, std::exchange(made.fd, -1));
      }
      continue;
    }
    if (found.holder == Holder::Elsewhere) {
      throw LockedError(
          fmt::format("{}: {}", file.parent_path().string(), describe_left_elsewhere(found.name)));
    }
    const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - start;
    if (patience.seconds && waited.count() >= *patience.seconds) {
      throw LockedError(fmt::format("{}: process {} {}; try again later, or give more time to wait",
                                    file.parent_path().string(), found.name, work));
    }
    if (!is_told && waited.count() >= kSilence) {
      is_told = true;
      if (patience.on_wait) {
        patience.on_wait(fmt::format("waiting for process {}, which {}", found.name, work));
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

Claim::Claim(Claim&& other) noexcept
    : file_(std::move(other.file_)), fd_(std::exchange(other.fd_, -1)) {}

Claim& Claim::operator=(Claim&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(fd_, other.fd_);
  return *this;
}

Claim::~Claim() {
  if (fd_ < 0) return;
  if (is_in_place()) ::unlink(file_.c_str());
  ::close(fd_);
}

std::optional<std::string> Claim::holder(const fs::path& file, bool takes_over) {
  const Found found = look_at(file, takes_over);
  const Descriptor opened{found.fd};
  if (found.holder == Holder::None || found.holder == Holder::Dead) return std::nullopt;
  return "process " + found.name;
}

bool Claim::is_in_place() const {
  return are_the_same(fd_, file_);
}

}  // namespace labelprobe::files
