// --profile of the program: what it tells, what it leaves, and what it refuses before anything is
// loaded.
#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "app/e2e_run.h"
#include "support/catch.h"
#include "support/program.h"

namespace labelprobe {
namespace {

using support::fixture;
using support::ProgramResult;
using support::read_file;
using support::run_arguments;
using support::run_program;
using support::TempFolder;
using support::write_file;

// Names of what has a duration in a trace.
std::set<std::string> traced_names(const std::filesystem::path& trace) {
  std::set<std::string> names;
  const auto parsed = nlohmann::json::parse(read_file(trace));
  for (const auto& event : parsed.at("traceEvents")) {
    if (event.value("ph", "") == "X") {
      names.insert(event.at("name").get<std::string>());
    }
  }
  return names;
}

TEST_CASE("generate and run tell where the model's time went and write a trace", "[e2e]") {
  const TempFolder folder;
  const std::filesystem::path prompts = folder.path() / "prompts.jsonl";
  const std::filesystem::path trace = folder.path() / "trace.json";
  write_file(prompts, R"({"id": "a", "token_ids": [5, 6, 7]})");
  std::vector<std::string> command = {"generate",
                                      "--model-name-or-path",
                                      fixture("e2e/model").string(),
                                      "--prompts",
                                      prompts.string(),
                                      "--max-new-tokens",
                                      "2",
                                      "--device",
                                      "cpu"};
  const std::string alone = run_program(command).out;
  command.insert(command.end(), {"--profile", trace.string()});
  const ProgramResult generated = run_program(command);
  INFO(generated.err);
  REQUIRE(generated.exit_code == 0);
  CHECK(generated.out == alone);
  CHECK_THAT(generated.err, ContainsSubstring("s of the model's work; trace in " + trace.string()));
  CHECK_THAT(generated.err, ContainsSubstring("aten::"));
  CHECK_THAT(generated.err, ContainsSubstring("outside of operators"));
  CHECK_THAT(generated.err, !ContainsSubstring("GPU"));
  CHECK(traced_names(trace).contains("aten::empty"));
  CHECK(traced_names(trace).contains("labelprobe::read_step"));

  std::filesystem::remove(trace);
  const ProgramResult run =
      run_program(run_arguments(folder.path() / "logs", {"--profile", trace.string()}));
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK_THAT(run.err, ContainsSubstring("info: profile of "));
  CHECK(traced_names(trace).contains("aten::empty"));
  CHECK_THAT(read_file(folder.path() / "logs/GoEmotions/e2e_0/log.txt"),
             ContainsSubstring("outside of operators"));
}

TEST_CASE("A dry run says where the trace would go and leaves nothing there", "[e2e]") {
  const TempFolder folder;
  const std::filesystem::path trace = folder.path() / "trace.json";
  const ProgramResult result = run_program(
      run_arguments(folder.path() / "logs", {"--profile", trace.string(), "--dry-run"}));
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out,
             ContainsSubstring("a trace of the model's work goes to " + trace.string()));
  CHECK_FALSE(std::filesystem::exists(trace));
}

TEST_CASE("A profile that cannot be had is refused before the model is loaded", "[e2e]") {
  const TempFolder folder;
  const std::string nowhere = (folder.path() / "nowhere/trace.json").string();
  write_file(folder.path() / "prompts.jsonl", R"({"id": "a", "token_ids": [5]})");
  const ProgramResult generated =
      run_program({"generate", "--model-name-or-path", fixture("e2e/model").string(), "--prompts",
                   (folder.path() / "prompts.jsonl").string(), "--max-new-tokens", "1", "--device",
                   "cpu", "--profile", nowhere});
  CHECK(generated.exit_code == 2);
  CHECK_THAT(generated.err, ContainsSubstring(nowhere + ": the profile cannot be written there"));
  CHECK_THAT(generated.err, !ContainsSubstring("ForCausalLM"));

  const ProgramResult run =
      run_program(run_arguments(folder.path() / "logs", {"--profile", nowhere}));
  CHECK(run.exit_code == 2);
  CHECK_THAT(run.err, ContainsSubstring(nowhere + ": the profile cannot be written there"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "logs"));

  const ProgramResult grid = run_program(run_arguments(
      folder.path() / "logs",
      {"--seed", "0", "1", "--profile", (folder.path() / "trace.json").string(), "--dry-run"}));
  CHECK(grid.exit_code == 2);
  CHECK_THAT(grid.err, ContainsSubstring("its file holds one setting's trace"));
}

}  // namespace
}  // namespace labelprobe
