#include "labelprobe/files/claim.h"

#include <csignal>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::files {
namespace {

namespace fs = std::filesystem;
using support::TempFolder;

const Patience kAtOnce = {.seconds = 0, .takes_over = false, .on_wait = {}};

// A process that takes the claim and sleeps.
pid_t start_holder(const fs::path& file) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto claim = Claim::take(file, {}, "sleeps");
    ::pause();
    ::_exit(0);
  }
  while (!fs::exists(file)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return child;
}

std::size_t n_files(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("A claim is one process's, names it, and goes with it", "[disk]") {
  const TempFolder folder;
  const fs::path file = folder.path() / ".claim";
  {
    const auto claim = Claim::take(file, {}, "works");
    REQUIRE(claim);
    CHECK(claim->is_in_place());
    CHECK_THAT(Claim::holder(file).value_or(""),
               ContainsSubstring("process " + std::to_string(::getpid()) + " on "));
  }
  CHECK(n_files(folder.path()) == 0);
  CHECK_FALSE(Claim::holder(file));
  CHECK_FALSE(Claim::take(folder.path() / "gone" / ".claim", {}, "works"));
}

TEST_CASE("A claim that another process holds is waited for, and a dead one's is taken", "[disk]") {
  const TempFolder folder;
  const fs::path file = folder.path() / ".claim";
  const pid_t child = start_holder(file);
  const std::string holder = "process " + std::to_string(child) + " on ";
  CHECK_THROWS_AS(Claim::take(file, kAtOnce, "works"), LockedError);
  CHECK_THROWS_WITH(Claim::take(file, kAtOnce, "does shard 2 of 4"),
                    ContainsSubstring(holder) && ContainsSubstring(" does shard 2 of 4; try"));
  Patience patience;
  std::string told;
  patience.on_wait = [&](const std::string& sentence) {
    told = sentence;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  };
  const auto claim = Claim::take(file, patience, "works");
  REQUIRE(claim);
  CHECK_THAT(told,
             ContainsSubstring("waiting for " + holder) && ContainsSubstring(", which works"));
  CHECK(n_files(folder.path()) == 1);
}

TEST_CASE("A claim of another machine is taken only when that is asked for", "[disk]") {
  const TempFolder folder;
  const fs::path file = folder.path() / ".claim";
  support::write_file(file, "12 on another.machine, since 2026-11-29 21:26:00 +0000\n");
  CHECK_THROWS_WITH(Claim::take(file, {}, "works"),
                    ContainsSubstring("process 12 on another.machine, since ") &&
                        ContainsSubstring("give --take-over"));
  CHECK(Claim::holder(file));
  CHECK_FALSE(Claim::holder(file, true));
  Patience patience;
  patience.takes_over = true;
  const auto claim = Claim::take(file, patience, "works");
  REQUIRE(claim);
  // Whoever lost it notices.
  fs::remove(file);
  support::write_file(file, "13 on another.machine, since 2026-11-29 21:26:00 +0000\n");
  CHECK_FALSE(claim->is_in_place());
}

TEST_CASE("Of processes that want a claim at the same time one has it at a time", "[disk]") {
  const TempFolder folder;
  const fs::path file = folder.path() / ".claim";
  constexpr int kProcesses = 6;
  constexpr int kTurns = 20;
  support::write_file(folder.path() / "count", "0");
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (int turn = 0; turn < kTurns; ++turn) {
        const auto claim = Claim::take(file, {}, "counts");
        const int count = std::stoi(support::read_file(folder.path() / "count"));
        support::write_file(folder.path() / "count", std::to_string(count + 1));
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  CHECK(support::read_file(folder.path() / "count") == std::to_string(kProcesses * kTurns));
}

TEST_CASE("A file is put under a name that is free, whole or not at all", "[disk]") {
  const TempFolder folder;
  const fs::path file = folder.path() / "plan";
  CHECK(put_new_file(file, "first"));
  CHECK_FALSE(put_new_file(file, "second"));
  CHECK(support::read_file(file) == "first");
  CHECK(n_files(folder.path()) == 1);
  CHECK_THROWS_AS(put_new_file(folder.path() / "gone" / "plan", "x"), ConfigError);
}

}  // namespace labelprobe::files
