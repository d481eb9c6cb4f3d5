#include "support/faults.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

namespace labelprobe::support {

namespace {

enum class Action { Fail, FailLate, Short, Kill, Run };

constexpr std::array<std::pair<std::string_view, int>, 12> kErrors = {{{"EIO", EIO},
                                                                       {"ENOSPC", ENOSPC},
                                                                       {"EDQUOT", EDQUOT},
                                                                       {"EROFS", EROFS},
                                                                       {"EACCES", EACCES},
                                                                       {"EFBIG", EFBIG},
                                                                       {"EINTR", EINTR},
                                                                       {"EMFILE", EMFILE},
                                                                       {"ENOENT", ENOENT},
                                                                       {"ENOLCK", ENOLCK},
                                                                       {"ESTALE", ESTALE},
                                                                       {"ENOMEM", ENOMEM}}};

struct State {
  FaultPlan plan;
  std::string operation;
  long n = -1;
  bool is_for_good = false;
  Action action = Action::Fail;
  int error = 0;
  int list = -1;
  std::atomic<long> n_seen{0};
};

int parse_error(std::string_view name) {
  for (const auto& [known, error] : kErrors) {
    if (name == known) return error;
  }
  throw std::invalid_argument("unknown action of a fault: " + std::string(name));
}

void parse(const std::string& fault, State& state) {
  const std::size_t first = fault.find(':');
  const std::size_t second = fault.find(':', first + 1);
  if (first == fault.npos || second == fault.npos) {
    throw std::invalid_argument("expected OPERATION:N:ACTION, found " + fault);
  }
  state.operation = fault.substr(0, first);
  std::string place = fault.substr(first + 1, second - first - 1);
  state.is_for_good = place.ends_with('+');
  state.n = std::stol(place);
  std::string_view action = std::string_view(fault).substr(second + 1);
  state.action = Action::Fail;
  if (action == "kill") {
    state.action = Action::Kill;
  } else if (action == "run") {
    state.action = Action::Run;
  } else if (action == "short") {
    state.action = Action::Short;
  } else {
    if (action.starts_with("late-")) {
      state.action = Action::FailLate;
      action.remove_prefix(5);
    }
    state.error = parse_error(action);
  }
}

void apply(const FaultPlan& plan, State& state) {
  state.plan = plan;
  state.n = -1;
  state.operation.clear();
  if (!plan.fault.empty()) parse(plan.fault, state);
  state.n_seen = 0;
  if (state.list >= 0) ::close(state.list);
  state.list = -1;
  if (!plan.list.empty()) {
    // Without a path below a root, so that this is no call that counts.
    using Open = int (*)(const char*, int, ...);
    const auto real = reinterpret_cast<Open>(::dlsym(RTLD_NEXT, "open"));
    state.list = real(plan.list.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  }
}

State& state() {
  static State* made = [] {
    auto* fresh = new State;  // lives as long as the process, whose last calls come late
    const auto read = [](const char* name) {
      const char* value = std::getenv(name);
      return std::string(value ? value : "");
    };
    apply({read("LABELPROBE_FAULT_ROOTS"), read("LABELPROBE_FAULT"),
           read("LABELPROBE_FAULT_COMMAND"), read("LABELPROBE_FAULT_LIST")},
          *fresh);
    return fresh;
  }();
  return *made;
}

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

bool is_below_root(std::string_view path) {
  std::string_view roots = state().plan.roots;
  while (!roots.empty()) {
    const std::size_t end = std::min(roots.find(':'), roots.size());
    const std::string_view root = roots.substr(0, end);
    if (!root.empty() && path.starts_with(root)) return true;
    roots.remove_prefix(std::min(end + 1, roots.size()));
  }
  return false;
}

std::string path_of(int fd) {
  std::array<char, 4096> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t n = ::readlink(link.c_str(), path.data(), path.size());
  return std::string(path.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
}

std::string path_of(int folder, const char* path) {
  if (path[0] == '/' || folder == AT_FDCWD) return path;
  return path_of(folder) + "/" + path;
}

void run_command(const std::string& line) {
  const char* arguments[] = {"sh", "-c", line.c_str(), nullptr};
  const char* environment[] = {"PATH=/usr/bin:/bin", nullptr};
  pid_t child = 0;
  if (::posix_spawn(&child, "/bin/sh", nullptr, nullptr, const_cast<char**>(arguments),
                    const_cast<char**>(environment)) == 0) {
    ::waitpid(child, nullptr, 0);
  }
}

// What becomes of a call: nothing special, or the planned action.
struct Verdict {
  bool fails_before = false;
  bool fails_after = false;
  bool is_short = false;
};

Verdict judge(std::string_view operation, const std::string& path) {
  const int kept = errno;
  State& plan = state();
  Verdict verdict;
  if (!is_below_root(path)) return verdict;
  const bool is_told = path.ends_with("/log.txt");
  if (is_told) operation = "tell";
  if (plan.list >= 0) {
    const std::string line = std::string(operation) + " " + path.substr(path.rfind('/') + 1) + "\n";
    [[maybe_unused]] const auto ignored =
        real<ssize_t(int, const void*, size_t)>("write")(plan.list, line.data(), line.size());
  }
  if (plan.n >= 0 && (plan.operation == operation || (plan.operation == "any" && !is_told))) {
    const long n = plan.n_seen++;
    if (n == plan.n || (plan.is_for_good && n > plan.n)) {
      switch (plan.action) {
        case Action::Kill:
          ::kill(::getpid(), SIGKILL);
          break;
        case Action::Run:
          run_command(plan.plan.command);
          break;
        case Action::Fail:
          verdict.fails_before = true;
          break;
        case Action::FailLate:
          verdict.fails_after = true;
          break;
        case Action::Short:
          verdict.is_short = true;
          break;
      }
    }
  }
  errno = kept;
  return verdict;
}

// Makes the call, or has it fail as planned.
template <class Call>
auto carry_out(const Verdict& verdict, decltype(std::declval<Call>()()) failed, const Call& call) {
  if (verdict.fails_before) {
    errno = state().error;
    return failed;
  }
  const auto result = call();
  if (verdict.fails_after && result != failed) {
    errno = state().error;
    return failed;
  }
  return result;
}

}  // namespace

void plan_faults(const FaultPlan& plan) {
  apply(plan, state());
}

long n_calls_seen() {
  return state().n_seen;
}

}  // namespace labelprobe::support

using labelprobe::support::carry_out;
using labelprobe::support::judge;
using labelprobe::support::path_of;
using labelprobe::support::real;

extern "C" {

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return carry_out(judge("open", path), -1,
                   [&] { return real<int(const char*, int, ...)>("open")(path, flags, mode); });
}

int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return carry_out(judge("open", path), -1,
                   [&] { return real<int(const char*, int, ...)>("open64")(path, flags, mode); });
}

int openat(int folder, const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return carry_out(judge("open", path_of(folder, path)), -1, [&] {
    return real<int(int, const char*, int, ...)>("openat")(folder, path, flags, mode);
  });
}

FILE* fopen(const char* path, const char* mode) {
  return carry_out(judge("open", path), static_cast<FILE*>(nullptr),
                   [&] { return real<FILE*(const char*, const char*)>("fopen")(path, mode); });
}

FILE* fopen64(const char* path, const char* mode) {
  return carry_out(judge("open", path), static_cast<FILE*>(nullptr),
                   [&] { return real<FILE*(const char*, const char*)>("fopen64")(path, mode); });
}

ssize_t write(int fd, const void* bytes, size_t n) {
  const auto verdict = judge("write", path_of(fd));
  return carry_out(verdict, ssize_t{-1}, [&] {
    return real<ssize_t(int, const void*, size_t)>("write")(fd, bytes,
                                                            verdict.is_short ? n / 2 : n);
  });
}

ssize_t writev(int fd, const iovec* pieces, int n) {
  return carry_out(judge("write", path_of(fd)), ssize_t{-1},
                   [&] { return real<ssize_t(int, const iovec*, int)>("writev")(fd, pieces, n); });
}

ssize_t pwrite(int fd, const void* bytes, size_t n, off_t at) {
  return carry_out(judge("write", path_of(fd)), ssize_t{-1}, [&] {
    return real<ssize_t(int, const void*, size_t, off_t)>("pwrite")(fd, bytes, n, at);
  });
}

size_t fwrite(const void* bytes, size_t size, size_t n, FILE* file) {
  const auto verdict =
      judge("write", file == stdout || file == stderr ? "" : path_of(fileno(file)));
  return carry_out(verdict, size_t{0}, [&] {
    return real<size_t(const void*, size_t, size_t, FILE*)>("fwrite")(bytes, size, n, file);
  });
}

int fsync(int fd) {
  return carry_out(judge("sync", path_of(fd)), -1, [&] { return real<int(int)>("fsync")(fd); });
}

int fdatasync(int fd) {
  return carry_out(judge("sync", path_of(fd)), -1, [&] { return real<int(int)>("fdatasync")(fd); });
}

int rename(const char* from, const char* to) {
  return carry_out(judge("rename", from), -1,
                   [&] { return real<int(const char*, const char*)>("rename")(from, to); });
}

int unlink(const char* path) {
  return carry_out(judge("remove", path), -1,
                   [&] { return real<int(const char*)>("unlink")(path); });
}

int unlinkat(int folder, const char* path, int flags) {
  return carry_out(judge("remove", path_of(folder, path)), -1, [&] {
    return real<int(int, const char*, int)>("unlinkat")(folder, path, flags);
  });
}

int rmdir(const char* path) {
  return carry_out(judge("remove", path), -1,
                   [&] { return real<int(const char*)>("rmdir")(path); });
}

int mkdir(const char* path, mode_t mode) {
  return carry_out(judge("make", path), -1,
                   [&] { return real<int(const char*, mode_t)>("mkdir")(path, mode); });
}

int ftruncate(int fd, off_t n) {
  return carry_out(judge("cut", path_of(fd)), -1,
                   [&] { return real<int(int, off_t)>("ftruncate")(fd, n); });
}

int flock(int fd, int operation) {
  return carry_out(judge("lock", path_of(fd)), -1,
                   [&] { return real<int(int, int)>("flock")(fd, operation); });
}

}  // extern "C"
