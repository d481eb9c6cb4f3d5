#include "labelprobe/files/disk.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <unistd.h>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/file_size_limit.h"
#include "support/files.h"
#include "support/paths.h"

using labelprobe::files::Disk;
using labelprobe::files::FileLock;
using labelprobe::files::LockedError;
using labelprobe::files::Patience;
using labelprobe::files::size_of;

TEST_CASE("A write that finds no room leaves nothing of it behind", "[disk]") {
  const labelprobe::support::TempFolder folder;
  Disk disk;
  auto file = disk.open_append(folder.path() / "journal");
  file.append("whole line\n");
  {
    const labelprobe::support::FileSizeLimit limit(100);
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

TEST_CASE("A held lock names the process that holds it, its machine and the time", "[disk]") {
  const labelprobe::support::TempFolder folder;
  const auto path = folder.path() / ".lock";
  const Patience none{.seconds = 0, .on_wait = {}};
  CHECK_FALSE(FileLock::holder(path));
  {
    const FileLock lock(path, none);
    CHECK_FALSE(FileLock::try_take(path));
    CHECK_THROWS_AS(FileLock(path, none), LockedError);
    CHECK_THROWS_WITH(
        FileLock(path, none),
        Catch::Matchers::Matches(".*: process " + std::to_string(::getpid()) +
                                 " on [^ ]+, since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d [+-]"
                                 "\\d{4} is writing this folder; .*"));
  }
  CHECK_FALSE(FileLock::holder(path));
  const FileLock again(path, none);
}

TEST_CASE("Who waits for a lock is told of its holder after a second, and gets it", "[disk]") {
  const labelprobe::support::TempFolder folder;
  const auto path = folder.path() / ".lock";
  std::optional<FileLock> held(std::in_place, path, Patience{});
  std::string told;
  int n_told = 0;
  const Patience patience{.seconds = {}, .on_wait = [&](const std::string& holder) {
                            told = holder;
                            ++n_told;
                            held.reset();
                          }};
  SECTION("one that takes it") {
    const FileLock lock(path, patience);
    CHECK(lock.is_in_place());
  }
  SECTION("one that only waits, and leaves no file") {
    FileLock::wait_until_free(path, patience);
    std::filesystem::remove(path);
    FileLock::wait_until_free(path, patience);
    CHECK_FALSE(std::filesystem::exists(path));
  }
  CHECK(n_told == 1);
  CHECK_THAT(told, ContainsSubstring("process " + std::to_string(::getpid()) + " on "));
}

TEST_CASE("A lock whose file was removed or replaced is no lock of that path", "[disk]") {
  const labelprobe::support::TempFolder folder;
  const auto path = folder.path() / ".lock";
  const FileLock first(path, Patience{});
  std::filesystem::remove(path);
  CHECK_FALSE(first.is_in_place());
  const FileLock second(path, Patience{.seconds = 0, .on_wait = {}});
  CHECK(second.is_in_place());
  CHECK_FALSE(first.is_in_place());
}

TEST_CASE("A lock that another process has put its name into is lost", "[disk]") {
  const labelprobe::support::TempFolder folder;
  const auto path = folder.path() / ".lock";
  const FileLock lock(path, Patience{});
  CHECK(lock.is_in_place());
  // As on a file system that keeps the locks of each machine to itself.
  const std::string other = "12 on another.machine, since 2026-11-29 21:26:00 +0000";
  labelprobe::support::write_file(path, other + "\n");
  CHECK_FALSE(lock.is_in_place());
  CHECK(FileLock::holder(path) == "process " + other);
}
