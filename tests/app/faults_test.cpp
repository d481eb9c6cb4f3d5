// The program itself under a disk that fails, folders that go away and files that change. Every
// call, and more kinds of faults: scripts/check_faults.py.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "labelprobe/record/logged_run.h"

#include "app/e2e_run.h"
#include "support/catch.h"
#include "support/file_size_limit.h"

namespace labelprobe {
namespace {

namespace fs = std::filesystem;
using support::Environment;
using support::fixture;
using support::log_files;
using support::ProgramResult;
using support::read_file;
using support::run_arguments;
using support::run_program;
using support::TempFolder;

// What the program finds in its environment so that a call fails, see support/faults.h.
Environment environment_of(const std::string& fault,
                           const std::string& roots,
                           const std::string& command = "") {
  return {{"LD_PRELOAD", (support::build_folder() / "liblabelprobe_faults.so").string()},
          {"LABELPROBE_FAULT", fault},
          {"LABELPROBE_FAULT_ROOTS", roots},
          {"LABELPROBE_FAULT_COMMAND", command}};
}

const std::vector<std::string> kFew = {"--limit", "3", "--batch-size", "2", "--disable-tqdm"};

TEST_CASE(
    "A run under a disk that fails ends with a message, and the same command in the same bytes",
    "[e2e]") {
  const TempFolder folder;
  const fs::path logs = folder.path() / "logs";
  REQUIRE(run_program(run_arguments(logs, kFew)).exit_code == 0);
  const auto wanted = log_files(logs);
  const std::map<std::string, std::string> faults = {{"write:4+:ENOSPC", "No space left on device"},
                                                     {"rename:2+:EDQUOT", "Disk quota exceeded"},
                                                     {"open:30+:EROFS", "Read-only file system"}};
  for (const auto& [fault, reason] : faults) {
    fs::remove_all(logs);
    const ProgramResult failed =
        run_program(run_arguments(logs, kFew), "", environment_of(fault, logs.string()));
    INFO(fault << ": " << failed.err);
    CHECK((failed.exit_code == 2 || failed.exit_code == 3));
    CHECK_THAT(failed.err,
               ContainsSubstring("labelprobe: " + logs.string()) && ContainsSubstring(reason));
    CHECK(run_program(run_arguments(logs, kFew)).exit_code == 0);
    CHECK(log_files(logs) == wanted);
  }
}

TEST_CASE("A log folder that goes away under the run is noticed at the next batch", "[e2e]") {
  const TempFolder folder;
  const fs::path logs = folder.path() / "logs";
  const fs::path log = logs / "GoEmotions" / "e2e_0";
  const ProgramResult moved = run_program(
      run_arguments(logs, kFew), "",
      environment_of("sync:8:run", logs.string(), "mv " + log.string() + " " + log.string() + "x"));
  CHECK(moved.exit_code == 2);
  CHECK_THAT(moved.err, ContainsSubstring(log.string() + ": was moved, deleted or replaced"));
  fs::rename(log.string() + "x", log);
  const ProgramResult rest = run_program(run_arguments(logs, kFew));
  CHECK(rest.exit_code == 0);
  CHECK_THAT(rest.err, ContainsSubstring("took up experiment_0 with 2 finished items"));
}

TEST_CASE("A model that is changed while a run is prepared or loaded ends it before any item",
          "[e2e]") {
  const TempFolder folder;
  const fs::path logs = folder.path() / "logs";
  const fs::path model = folder.path() / "model";
  fs::copy(fixture("e2e/model"), model, fs::copy_options::recursive);
  std::vector<std::string> more = kFew;
  more.insert(more.end(), {"--model-name-or-path", model.string()});
  const ProgramResult changed =
      run_program(run_arguments(logs, more), "",
                  environment_of("sync:1:run", logs.string(),
                                 "printf xxxx | dd of=" + (model / "model.safetensors").string() +
                                     " bs=1 seek=100000 conv=notrunc 2>/dev/null"));
  CHECK(changed.exit_code == 4);
  CHECK_THAT(changed.err,
             ContainsSubstring(model.string() + ": was changed after this run was prepared"));
  CHECK(read_file(logs / "GoEmotions" / "e2e_0" / "journal_0.jsonl").empty());
}

TEST_CASE("Items that failed are counted, and computed again where that is asked for", "[e2e]") {
  const TempFolder logs;
  const std::vector<std::string> too_long = {"--limit", "2", "--max-new-tokens", "100000"};
  std::vector<std::string> again = too_long;
  again.emplace_back("--retry-failed");
  const ProgramResult first = run_program(run_arguments(logs.path(), too_long));
  CHECK(first.exit_code == 1);
  CHECK_THAT(first.err, ContainsSubstring("2 of 2 items failed; each entry says why") &&
                            ContainsSubstring("--retry-failed computes them again"));
  const auto wanted = log_files(logs.path());
  const ProgramResult second = run_program(run_arguments(logs.path(), again));
  INFO(second.err);
  CHECK(second.exit_code == 1);
  CHECK_THAT(second.err, ContainsSubstring(
                             "experiment_0 was finished with 2 failed items, which are computed"));
  CHECK(log_files(logs.path()) == wanted);
  CHECK_THAT(run_program({"runs", logs.path().string(), "--json"}).out,
             ContainsSubstring("\"items_failed\":2"));
  CHECK_THAT(run_program({"runs", logs.path().string()}).out, ContainsSubstring("failed"));
  CHECK_THAT(run_program({"show", (logs.path() / "GoEmotions" / "e2e_0").string()}).out,
             ContainsSubstring("2 items, 2 failed, 2 shown"));
  again.emplace_back("--again");
  const ProgramResult both = run_program(run_arguments(logs.path(), again));
  CHECK(both.exit_code == 2);
  CHECK_THAT(both.err, ContainsSubstring("retry_failed mends the log that is there"));
}

TEST_CASE("More threads than make sense are bounded, and that is said", "[e2e]") {
  const TempFolder logs;
  const ProgramResult result =
      run_program(run_arguments(logs.path(), {"--limit", "1", "--threads", "100000"}));
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.err, ContainsSubstring("threads is 100000, and "));
}

TEST_CASE("A file that may not grow any more is a message, not an end without a word", "[e2e]") {
  const TempFolder logs;
  // The limit is the child's, for it is inherited.
  const support::FileSizeLimit limit(8192);
  const ProgramResult result = run_program(run_arguments(logs.path(), kFew));
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, ContainsSubstring("File too large"));
}

}  // namespace
}  // namespace labelprobe
