// `labelprobe finetune` from data to an adapter that the other commands take.
#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "app/e2e_run.h"
#include "support/catch.h"
#include "support/program.h"

namespace labelprobe {
namespace {

namespace fs = std::filesystem;
using support::ProgramResult;
using support::read_file;
using support::run_program;
using support::TempFolder;

// Two steps on the example data with the tiny model, into `folder`.
std::vector<std::string> finetune_arguments(const fs::path& folder,
                                            const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = {"finetune",
                                        "GoEmotions",
                                        "--config",
                                        "configs/example/config.yaml",
                                        "--shot",
                                        "0",
                                        "--model-name-or-path",
                                        support::fixture("e2e/model").string(),
                                        "--quant",
                                        "none",
                                        "--model-dtype",
                                        "float32",
                                        "--lora-r",
                                        "4",
                                        "--learning-rate",
                                        "0.2",
                                        "--max-seq-length",
                                        "32",
                                        "--limit",
                                        "3",
                                        "--device",
                                        "cpu",
                                        "--output-dir",
                                        (folder / "out").string(),
                                        "--log-dir",
                                        (folder / "log").string()};
  if (std::find(more.begin(), more.end(), "--max-steps") == more.end()) {
    arguments.insert(arguments.end(), {"--max-steps", "2"});
  }
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::string answers(const std::vector<std::string>& model_flags) {
  std::vector<std::string> arguments = {"generate", "--prompts", "-",  "--max-new-tokens",
                                        "5",        "--device",  "cpu"};
  arguments.insert(arguments.end(), model_flags.begin(), model_flags.end());
  const ProgramResult result =
      run_program(arguments, R"({"id": "a", "text": "Input: I miss her so much"})"
                             "\n");
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return result.out;
}

}  // namespace

TEST_CASE("A model is tuned, measured, merged, and used with its adapter", "[e2e]") {
  const TempFolder folder;
  const fs::path merged = folder.path() / "merged";
  const ProgramResult result =
      run_program(finetune_arguments(folder.path(), {"--merge", merged.string()}));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("micro_f1: "));
  const fs::path adapter = folder.path() / "out" / "model" / "3";
  CHECK(fs::exists(adapter / "adapter_config.json"));
  CHECK(fs::exists(adapter / "checkpoint-2"));
  CHECK_THAT(read_file(folder.path() / "log" / "model" / "3" / "training.log"),
             ContainsSubstring("step 2/2, loss ") &&
                 ContainsSubstring("evaluation on 3 items: jaccard_score"));
  const std::string base = support::fixture("e2e/model").string();
  const std::string with_adapter =
      answers({"--model-name-or-path", base, "--adapter", adapter.string()});
  CHECK(answers({"--model-name-or-path", merged.string()}) == with_adapter);
  CHECK(answers({"--model-name-or-path", base}) != with_adapter);

  // A run with the adapter is one of a tuned model.
  const fs::path logs = folder.path() / "logs";
  REQUIRE(run_program(support::run_arguments(logs, {"--adapter", adapter.string()})).exit_code ==
          0);
  const ProgramResult aligned =
      run_program({"align", "GoEmotions", (logs / "GoEmotions" / "e2e_0").string(), "--config",
                   "configs/example/config.yaml"});
  CHECK_THAT(aligned.out, ContainsSubstring("SFT outputs") && ContainsSubstring("SFT max"));

  const ProgramResult again = run_program(finetune_arguments(folder.path(), {"--no-evaluation"}));
  CHECK(again.exit_code == 0);
  CHECK_THAT(again.err, ContainsSubstring("is finished already: nothing was trained"));
  const ProgramResult other = run_program(finetune_arguments(folder.path(), {"--max-steps", "3"}));
  CHECK(other.exit_code == 2);
  CHECK_THAT(other.err, ContainsSubstring("the folder holds another training"));
  const ProgramResult wrong = run_program(
      {"generate", "--prompts", "-", "--max-new-tokens", "1", "--adapter", adapter.string(),
       "--model-name-or-path", support::fixture("model/qwen2").string()},
      R"({"id": "a", "token_ids": [1]})");
  CHECK(wrong.exit_code == 4);
  CHECK_THAT(wrong.err, ContainsSubstring("is the adapter for another base?"));
}

TEST_CASE("A training says what it would do, and what it cannot", "[e2e]") {
  const TempFolder folder;
  const auto tried = [&](const std::vector<std::string>& more) {
    return run_program(finetune_arguments(folder.path(), more));
  };
  const ProgramResult dry = tried({"--dry-run", "--texts-out", "-"});
  CHECK(dry.exit_code == 0);
  CHECK_THAT(dry.out, ContainsSubstring("129 to train on, 3 to validate with"));
  CHECK_THAT(dry.out,
             ContainsSubstring(R"(\n{\"label\": [\"sadness\"]}"})"));  // the labels end the text
  CHECK_FALSE(fs::exists(folder.path() / "out"));
  CHECK_THAT(tried({"--target-modules", "q_prj"}).err,
             ContainsSubstring("unknown target module 'q_prj'"));
  CHECK_THAT(tried({"--prompt-mode", "chat"}).err,
             ContainsSubstring("--prompt-mode: expected completion"));
  CHECK_THAT(tried({"--lora-dropout", "1"}).err,
             ContainsSubstring("lora_dropout: expected 0 or more and below 1"));
}

}  // namespace labelprobe
