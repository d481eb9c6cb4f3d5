// Several processes at the same runs and folders.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "labelprobe/core/error.h"
#include "labelprobe/record/logged_run.h"

#include "record/commands.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::record {
namespace {

namespace fs = std::filesystem;
using files::LockedError;
using support::read_file;

TEST_CASE("Who does a run that another process is at waits for it, and is told of it", "[resume]") {
  const support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  std::optional<Run> running(Run::open(request));
  const fs::path out = running->folder();
  request.patience.seconds = 0;
  CHECK_THROWS_AS(Run::open(request), LockedError);
  CHECK_THROWS_WITH(Run::open(request), ContainsSubstring("process " + std::to_string(::getpid())));
  CHECK(preview(request).folder == out);
  RunRequest other = make_request(folder.path());
  param_of(other, "incontext_prompt").value = "other";
  CHECK(Run::open(other).folder() != out);

  std::string told;
  request.patience = {.seconds = 60, .on_wait = [&](const std::string& sentence) {
                        told = sentence;
                        running.reset();
                      }};
  CHECK(Run::open(request).folder() == out);
  CHECK_THAT(told,
             ContainsSubstring("waiting for process " + std::to_string(::getpid()) + " on ") &&
                 ContainsSubstring(", since 2") && ContainsSubstring(", which does this run"));
}

TEST_CASE("A run beside one that is at it may be another experiment", "[resume]") {
  const support::TempFolder folder;
  const Run running = Run::open(make_request(folder.path()));
  RunRequest again = make_request(folder.path());
  again.patience.seconds = 0;
  again.if_finished = IfFinished::Append;
  CHECK(run_command(again) == static_cast<int>(kKeys.size()));
  CHECK(preview(again).experiment_index == 2);
  // With other contents it is no experiment to start over while a process is at it.
  RunRequest changed = make_request(folder.path());
  changed.contents["prompts"] = "contents-2";
  const Run beside = Run::open(changed);
  CHECK(beside.experiment_index() == 2);
  REQUIRE(beside.notes().size() == 2);
  CHECK(beside.notes()[0] ==
        "experiment_0 is unfinished and not gone on with: changed since: prompts");
  CHECK(beside.notes()[1] == "experiment_1 is finished, but not this run: changed since: prompts");
}

TEST_CASE("Seeds that run at the same time are experiments of one folder", "[resume]") {
  constexpr int kSeeds = 5;
  const support::TempFolder one_by_one;
  const support::TempFolder together;
  std::vector<pid_t> children;
  for (int seed = 0; seed < kSeeds; ++seed) {
    run_command(make_plain_request(one_by_one.path(), seed));
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        run_command(make_plain_request(together.path(), seed));
      } catch (const std::exception& error) {
        std::cerr << error.what() << std::endl;
        ::_exit(1);
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  }
  const fs::path wanted = preview(make_plain_request(one_by_one.path())).folder;
  const fs::path found = preview(make_plain_request(together.path())).folder;
  for (const char* name : {"aggregated_metrics.yml", "aggregated_indexed_metrics.yml",
                           "aggregated_annotator_metrics.yml"}) {
    CAPTURE(name);
    CHECK(read_file(found / name) == read_file(wanted / name));
  }
  for (int i = 0; i < kSeeds; ++i) {
    CHECK(read_run(found, i).items == read_run(wanted, i).items);
    CHECK_FALSE(fs::exists(found / (".lock_" + std::to_string(i))));
  }
}

TEST_CASE("A folder that is moved or deleted under a run is named at the next batch", "[resume]") {
  const support::TempFolder folder;
  const RunRequest request = make_request(folder.path());
  Run run = Run::open(request);
  const ItemRecord item = make_item("a");
  run.append({&item, 1});
  fs::rename(run.folder(), folder.path() / "elsewhere");
  CHECK_THROWS_WITH(run.append({&item, 1}), ContainsSubstring("was moved, deleted or replaced"));
  run_command(request);  // makes the folder anew
  CHECK_THROWS_WITH(run.append({&item, 1}), ContainsSubstring("was moved, deleted or replaced"));
  const std::string key = "a";
  CHECK_THROWS_AS(run.finish({&key, 1}, std::nullopt, {}), ConfigError);
  CHECK(read_run(run.folder()).items.size() == kKeys.size());
}

TEST_CASE("Processes that start together take different folders", "[resume]") {
  const support::TempFolder folder;
  constexpr int kProcesses = 8;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        RunRequest request = make_request(folder.path());
        param_of(request, "incontext_prompt").value = std::to_string(i);  // not part of the name
        run_command(request);
      } catch (const std::exception& error) {
        std::cerr << error.what() << std::endl;
        ::_exit(1);
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  }
  int n_folders = 0;
  for (const auto& entry : fs::directory_iterator(folder.path() / "MFRC")) {
    n_folders += fs::exists(entry.path() / "indexed_metrics.yml") ? 1 : 0;
  }
  CHECK(n_folders == kProcesses);
}

}  // namespace
}  // namespace labelprobe::record
