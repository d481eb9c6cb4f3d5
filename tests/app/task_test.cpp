// Task files where the names of data sets stand, as a user meets them.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/program.h"

namespace labelprobe {
namespace {

using support::ProgramResult;
using support::run_program;
using support::TempFolder;
using support::write_file;

constexpr const char* kOwn = "configs/example/own/messages.yaml";

TEST_CASE("A task file is checked: counts, labels, agreement, items", "[e2e]") {
  const ProgramResult result = run_program({"data", kOwn});
  REQUIRE(result.exit_code == 0);
  CHECK(result.err.empty());
  CHECK_THAT(result.out, ContainsSubstring("messages, train: "));
  CHECK_THAT(result.out, ContainsSubstring("24 examples, 4 labels (multi-label)"));
  CHECK_THAT(result.out, ContainsSubstring("  annotators: 3 with 72 items in all"));
  CHECK_THAT(result.out, ContainsSubstring("agreement: of 24 examples with two annotators"));
  CHECK_THAT(result.out, ContainsSubstring("The pothole in Mill Lane has grown again"));
}

TEST_CASE("What a task file says about prompts gives way to flags and config files", "[e2e]") {
  const ProgramResult of_file = run_program({"prompts", kOwn, "--limit", "1"});
  REQUIRE(of_file.exit_code == 0);
  CHECK_THAT(of_file.out, ContainsSubstring("Name the topics of each message to the town hall"));
  CHECK_THAT(of_file.out, ContainsSubstring("roads, waste, noise and parks"));
  const TempFolder folder;
  const std::string config = (folder.path() / "c.yaml").string();
  write_file(config, "instruction_prompt: \"From the config: {labels}\\n\"\nshot: 2\n");
  const ProgramResult of_config =
      run_program({"prompts", kOwn, "--limit", "1", "--config", config});
  CHECK_THAT(of_config.out, ContainsSubstring("From the config: roads"));
  const ProgramResult of_flag = run_program({"prompts", kOwn, "--limit", "1", "--config", config,
                                             "--instruction-prompt", "From the flag"});
  CHECK_THAT(of_flag.out, ContainsSubstring("From the flag"));
}

TEST_CASE("A task file's options that no command has are refused", "[e2e]") {
  const TempFolder folder;
  const std::string task = (folder.path() / "task.yaml").string();
  write_file(folder.path() / "t.csv", "text,label\nA,x\nB,y\n");
  write_file(task, "files: t.csv\ntext: text\nlabels: {class: label}\noptions: {batchsize: 2}\n");
  const ProgramResult result = run_program({"data", task});
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err,
             ContainsSubstring("task.yaml:4: unknown option 'batchsize'; did you mean"));
  CHECK(run_program({"data", (folder.path() / "none.yaml").string()}).exit_code == 2);
  const ProgramResult unknown = run_program({"data", "GoEmotion"});
  CHECK_THAT(unknown.err, ContainsSubstring("my_task.yaml"));
}

TEST_CASE("Answers get the tokens that the longest one takes where nobody says it", "[e2e]") {
  if (support::smollm2_gguf().empty()) SKIP_ALOUD("the small model is not there");
  const std::string model = support::smollm2_gguf().string();
  const ProgramResult tokens =
      run_program({"tokenize", "-m", model, "--no-special"}, "\" roads, waste, noise, parks\"\n");
  REQUIRE(tokens.exit_code == 0);
  const std::size_t n_tokens = nlohmann::json::parse(tokens.out).size();
  const ProgramResult several = run_program({"run", kOwn, "-m", model, "--dry-run"});
  CHECK(several.exit_code == 0);
  CHECK_THAT(several.out,
             ContainsSubstring(fmt::format("new tokens at most {} per prompt", n_tokens + 4)));
  const ProgramResult given =
      run_program({"run", kOwn, "-m", model, "--dry-run", "--max-new-tokens", "5"});
  CHECK_THAT(given.out, ContainsSubstring("new tokens at most 5 per prompt"));
}

TEST_CASE("Ids are drawn of a task file's items", "[e2e]") {
  const TempFolder folder;
  const std::string ids = (folder.path() / "ids.txt").string();
  const ProgramResult result = run_program({"ids", kOwn, "--n", "6", "--out", ids});
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("messages: 6 ids"));
}

}  // namespace
}  // namespace labelprobe
