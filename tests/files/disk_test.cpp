#include "labelprobe/files/disk.h"

#include <csignal>
#include <fstream>
#include <sstream>

#include <sys/resource.h>
#include <unistd.h>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

using labelprobe::files::Disk;
using labelprobe::files::FileLock;
using labelprobe::files::size_of;

namespace {

// Files of this process may not grow beyond n_bytes while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t n_bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{n_bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

}  // namespace

TEST_CASE("A write that finds no room leaves nothing of it behind", "[disk]") {
  const labelprobe::support::TempFolder folder;
  Disk disk;
  auto file = disk.open_append(folder.path() / "journal");
  file.append("whole line\n");
  {
    const FileSizeLimit limit(100);
    CHECK_THROWS_AS(file.append(std::string(500, 'x')), labelprobe::ConfigError);
    CHECK_THROWS_WITH(file.append(std::string(500, 'x')),
                      ContainsSubstring("journal: cannot write: File too large"));
  }
  file.append("next line\n");
  file.sync();
  CHECK(labelprobe::support::read_file(folder.path() / "journal") == "whole line\nnext line\n");
}

TEST_CASE("Replacing a file swaps its whole content", "[disk]") {
  const labelprobe::support::TempFolder folder;
  Disk disk;
  disk.replace(folder.path() / "f", "a long first content");
  disk.replace(folder.path() / "f", "second");
  CHECK(labelprobe::support::read_file(folder.path() / "f") == "second");
  CHECK_FALSE(size_of(folder.path() / "f.tmp"));
}

TEST_CASE("Cutting a file restores its length or its absence", "[disk]") {
  const labelprobe::support::TempFolder folder;
  const auto path = folder.path() / "f";
  Disk disk;
  disk.open_append(path).append("0123456789");
  disk.cut_to(path, 4);
  CHECK(labelprobe::support::read_file(path) == "0123");
  CHECK_THROWS_AS(disk.cut_to(path, 5), labelprobe::DataError);
  CHECK_THROWS_WITH(disk.cut_to(path, 5), ContainsSubstring("expected at least 5 bytes, found 4"));
  disk.cut_to(path, std::nullopt);
  CHECK_FALSE(size_of(path));
  disk.cut_to(path, std::nullopt);
}

TEST_CASE("A held lock names the process that holds it", "[disk]") {
  const labelprobe::support::TempFolder folder;
  const auto path = folder.path() / ".lock";
  {
    const FileLock lock(path, FileLock::IfHeld::Fail);
    CHECK_THROWS_AS(FileLock(path, FileLock::IfHeld::Fail), labelprobe::ConfigError);
    CHECK_THROWS_WITH(FileLock(path, FileLock::IfHeld::Fail),
                      ContainsSubstring("process " + std::to_string(::getpid()) + " is writing"));
  }
  const FileLock again(path, FileLock::IfHeld::Fail);
}
