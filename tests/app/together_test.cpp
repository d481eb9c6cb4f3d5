// The program as several processes that compute one model together.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>

#include "app/e2e_run.h"
#include "support/catch.h"
#include "support/processes.h"

namespace labelprobe {
namespace {

using support::process_environment;
using support::ProgramResult;
using support::run_arguments;
using support::run_program;
using support::StartedProgram;
using support::TempFolder;

std::string numbers_of(const std::filesystem::path& logs) {
  return support::read_file(logs / "GoEmotions" / "e2e_0" / "indexed_metrics.yml");
}

}  // namespace

TEST_CASE("Two processes write the log of one, once", "[e2e]") {
  const TempFolder alone;
  REQUIRE(run_program(run_arguments(alone.path())).exit_code == 0);
  const TempFolder together;
  const int port = support::free_port();
  StartedProgram other(run_arguments(together.path()), "", process_environment(1, 2, port));
  const ProgramResult first =
      run_program(run_arguments(together.path()), "", process_environment(0, 2, port));
  const ProgramResult second = other.finish();
  INFO(first.err << second.err);
  CHECK(first.exit_code == 0);
  CHECK(second.exit_code == 0);
  CHECK(second.out.empty());
  CHECK(second.err.empty());
  // Every number is the same bits: no sum goes across processes.
  CHECK(numbers_of(together.path()) == numbers_of(alone.path()));
}

TEST_CASE("When the first process dies the other says so and ends", "[e2e]") {
  const int port = support::free_port();
  const TempFolder folder;
  // Waits for its prompts until it is killed.
  REQUIRE(::mkfifo((folder.path() / "prompts").c_str(), 0600) == 0);
  const std::vector<std::string> arguments = {"generate",
                                              "--model-name-or-path",
                                              support::fixture("e2e/model").string(),
                                              "--prompts",
                                              (folder.path() / "prompts").string(),
                                              "--max-new-tokens",
                                              "4"};
  StartedProgram first(arguments, "", process_environment(0, 2, port));
  StartedProgram other(arguments, "", process_environment(1, 2, port));
  std::this_thread::sleep_for(std::chrono::seconds(2));
  const auto killed = std::chrono::steady_clock::now();
  ::kill(first.pid(), SIGKILL);
  first.finish();
  const ProgramResult result = other.finish();
  CHECK(std::chrono::steady_clock::now() - killed < std::chrono::seconds(10));
  CHECK(result.exit_code == 4);
  CHECK_THAT(result.err, ContainsSubstring("process") && ContainsSubstring("end together"));
}

TEST_CASE("What several processes cannot do together is refused by name", "[e2e]") {
  const int port = support::free_port();
  StartedProgram other({"finetune"}, "", process_environment(1, 2, port));
  const ProgramResult first = run_program({"finetune"}, "", process_environment(0, 2, port));
  CHECK(first.exit_code == 2);
  CHECK_THAT(first.err, ContainsSubstring("finetune: expected one process, found 2"));
  CHECK(other.finish().exit_code == 2);

  support::Environment incomplete = process_environment(0, 2, port);
  incomplete["MASTER_PORT"] = "";
  const ProgramResult result = run_program({"ls", "plans"}, "", incomplete);
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, ContainsSubstring("expected MASTER_PORT beside it"));
}

TEST_CASE("Looks at all heads of a layer are of one process", "[e2e]") {
  const int port = support::free_port();
  const TempFolder logs;
  const std::vector<std::string> arguments = run_arguments(logs.path(), {"--attention"});
  StartedProgram other(arguments, "", process_environment(1, 2, port));
  const ProgramResult first = run_program(arguments, "", process_environment(0, 2, port));
  CHECK(first.exit_code == 2);
  CHECK_THAT(first.err, ContainsSubstring("expected one process, found several"));
  CHECK(other.finish().exit_code == 2);
}

TEST_CASE("A dry run tells what each process holds, and waits for none", "[e2e]") {
  const TempFolder logs;
  const ProgramResult first = run_program(run_arguments(logs.path(), {"--dry-run"}), "",
                                          process_environment(0, 2, support::free_port()));
  INFO(first.err);
  CHECK(first.exit_code == 0);
  CHECK_THAT(first.out, ContainsSubstring("process") && ContainsSubstring("weights, GB"));
  const ProgramResult other = run_program(run_arguments(logs.path(), {"--dry-run"}), "",
                                          process_environment(1, 2, support::free_port()));
  CHECK(other.exit_code == 0);
  CHECK(other.out.empty());
}

}  // namespace labelprobe
