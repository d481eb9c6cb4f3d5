// What the program says to who asks and to who may think otherwise, and what its help promises.
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include "support/catch.h"
#include "support/program.h"

namespace labelprobe {
namespace {

using support::fixture;
using support::ProgramResult;
using support::run_program;
using support::TempFolder;
using support::with;
using support::write_file;

const std::vector<std::string> kExample = {"prompts", "GoEmotions", "--config",
                                           "configs/example/config.yaml"};

TEST_CASE("Version and help name every command with a real example", "[e2e]") {
  CHECK_THAT(run_program({"--version"}).out, ContainsSubstring("labelprobe 0."));
  const std::string help = run_program({"--help"}).out;
  for (const char* command :
       {"run", "classify", "assess", "show", "prompts", "generate", "tokenize", "ls"}) {
    CAPTURE(command);
    CHECK_THAT(help, ContainsSubstring(command));
    const ProgramResult own = run_program({command, "--help"});
    CHECK(own.exit_code == 0);
    CHECK_THAT(own.out, ContainsSubstring("Example:"));
    CHECK_THAT(own.out, ContainsSubstring("labelprobe " + std::string(command)));
  }
}

TEST_CASE("Help shows what most people need, and on request every option", "[e2e]") {
  const std::string few = run_program({"run", "--help"}).out;
  const std::string all = run_program({"run", "--help-all"}).out;
  for (const char* flag : {"--model-name-or-path", "--distribution", "--shot", "--config"}) {
    CAPTURE(flag);
    CHECK_THAT(few, ContainsSubstring(flag));
    CHECK_THAT(all, ContainsSubstring(flag));
  }
  CHECK_THAT(few, !ContainsSubstring("--no-drafts") && ContainsSubstring("--help-all"));
  CHECK_THAT(all, ContainsSubstring("--no-drafts"));
  CHECK_THAT(all, !ContainsSubstring("--accelerate"));
  // What spans a grid is marked.
  CHECK_THAT(all, ContainsSubstring("--seed N*") && ContainsSubstring("--test-splits SPLIT... "));
  for (const std::string& text : {few, all}) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      CAPTURE(line);
      CHECK((line.size() <= 80 || line.starts_with("  labelprobe run")));
    }
  }
}

TEST_CASE("Usual words and letters are understood", "[e2e]") {
  CHECK(run_program({"help"}).out == run_program({"--help"}).out);
  CHECK(run_program({"help", "run"}).out == run_program({"run", "-h"}).out);
  const ProgramResult version = run_program({"-V"});
  CHECK(version.out == run_program({"version"}).out);
  for (const char* part : {"labelprobe 0.2.0", "compiler ", "libtorch ", "processor ", "CUDA "}) {
    CHECK_THAT(version.out, ContainsSubstring(part));
  }
  const std::vector<std::string> start = {"prompts", "GoEmotions", "--config",
                                          "configs/example/config.yaml"};
  CHECK(run_program(with(start, {"-n", "1"})).out ==
        run_program(with(start, {"--limit", "1"})).out);
  const TempFolder folder;
  const std::string out = (folder.path() / "p.jsonl").string();
  REQUIRE(run_program(with(start, {"-n", "1", "-o", out})).exit_code == 0);
  CHECK(support::read_file(out) == run_program(with(start, {"-n", "1"})).out);
}

TEST_CASE("The environment gives what neither flags nor files do", "[e2e]") {
  const std::string model = fixture("e2e/model").string();
  const std::vector<std::string> dry = {
      "run",   "GoEmotions", "--config", "configs/example/config.yaml", "--dry-run", "--color",
      "never", "--device",   "cpu"};
  ::setenv("LABELPROBE_MODEL_NAME_OR_PATH", model.c_str(), 1);
  ::setenv("LABELPROBE_DEVICE", "nothing", 1);
  const ProgramResult result = run_program(dry);
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("model_name_or_path") && ContainsSubstring(model));
  const ProgramResult wrong =
      run_program({"run", "GoEmotions", "--config", "configs/example/config.yaml", "--dry-run"});
  CHECK_THAT(wrong.err, ContainsSubstring("nothing"));
  ::unsetenv("LABELPROBE_MODEL_NAME_OR_PATH");
  ::unsetenv("LABELPROBE_DEVICE");
}

TEST_CASE("Lists every option by command, the ones for compatibility on request", "[e2e]") {
  const std::string shown = run_program({"ls", "options"}).out;
  const std::string all = run_program({"ls", "options", "--all"}).out;
  CHECK_THAT(shown, ContainsSubstring("run --shot") && ContainsSubstring("show --items"));
  CHECK_THAT(shown, !ContainsSubstring("--accelerate"));
  CHECK_THAT(all, ContainsSubstring("run --accelerate") &&
                      ContainsSubstring("Accepted for compatibility: the device is chosen by"));
}

TEST_CASE("Every command reads config files and ignores the keys of others", "[e2e]") {
  const TempFolder folder;
  const std::string config = (folder.path() / "config.yaml").string();
  write_file(config, "shape: smollm2-135m\nlayers: 1\nshot: 5\ndry_run: true\n");
  const ProgramResult result = run_program({"make-model", "--config", config});
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK(result.out ==
        run_program({"make-model", "--shape", "smollm2-135m", "--layers", "1", "--dry-run"}).out);
}

TEST_CASE("Lists what can be named", "[e2e]") {
  CHECK_THAT(run_program({"ls", "datasets"}).out, ContainsSubstring("GoEmotions"));
  CHECK_THAT(run_program({"ls", "datasets"}).out, ContainsSubstring("Hatexplain"));
  CHECK_THAT(run_program({"ls", "samplers"}).out, ContainsSubstring("multilabel"));
  CHECK_THAT(run_program({"ls", "distributions"}).out, ContainsSubstring("baseline"));
  CHECK_THAT(run_program({"ls", "estimators"}).out, ContainsSubstring("binary_outcome"));
  CHECK_THAT(run_program({"ls", "metrics"}).out, ContainsSubstring("Brier: squared distance"));
  CHECK_THAT(run_program({"ls", "label-modes"}).out, ContainsSubstring("preds"));
  CHECK_THAT(run_program({"ls", "formats"}).out, ContainsSubstring("polysyndeton"));
  CHECK_THAT(run_program({"ls", "families"}).out, ContainsSubstring("MistralForCausalLM"));
  // 8,030,261,248 numbers, 6,979,321,856 of them in linear layers: 4.5 bits each.
  CHECK_THAT(
      run_program({"ls", "shapes"}).out,
      ContainsSubstring("llama-3.1-8b") &&
          ContainsSubstring("8.030 billion parameters;   16.06 GB in bfloat16,    6.03 GB in FP4"));
}

TEST_CASE("Writes prompts as JSON lines with the demonstrations in order", "[e2e]") {
  const ProgramResult result = run_program(with(kExample, {"--shot", "2", "--limit", "1"}));
  REQUIRE(result.exit_code == 0);
  const nlohmann::json line = nlohmann::json::parse(result.out);
  CHECK(line["demos"].size() == 2);
  CHECK(line["id"].get<std::string>().ends_with("__aggregate"));
  CHECK(line["text"].get<std::string>().starts_with(
      "Classify the following inputs into none, one, or multiple"));
}

TEST_CASE("Queries among their own demonstrations are counted, and replaced where asked", "[e2e]") {
  const std::vector<std::string> mmlu = {
      "prompts",        "MMLUPro", "--root-dir",    fixture("data/mmlu_pro").string(),
      "--train-splits", "train",   "--test-splits", "dev",
      "--shot",         "1"};
  const ProgramResult kept = run_program(mmlu);
  CHECK_THAT(kept.err, ContainsSubstring("queries stand among their own demonstrations"));
  const ProgramResult replaced = run_program(with(mmlu, {"--exclude-query"}));
  CHECK(replaced.exit_code == 0);
  CHECK_THAT(replaced.err, !ContainsSubstring("stand among"));
  CHECK(replaced.out != kept.out);
}

TEST_CASE("A full disk behind standard output is an error of every command", "[e2e]") {
  if (!std::filesystem::exists("/dev/full")) {
    SKIP_ALOUD("there is no /dev/full here");
  }
  const TempFolder folder;
  const std::string err = (folder.path() / "err").string();
  for (const std::string& command :
       {std::string("ls datasets"), std::string("--version"), std::string("data --help"),
        std::string("data GoEmotions --config configs/example/config.yaml"),
        std::string("data GoEmotions --config configs/example/config.yaml --out -"),
        std::string("prompts GoEmotions --config configs/example/config.yaml"),
        std::string("man")}) {
    CAPTURE(command);
    const std::string line = "cd '" + support::source_folder().string() + "' && '" +
                             (support::build_folder() / "labelprobe").string() + "' " + command +
                             " > /dev/full 2> '" + err + "'";
    const int status = std::system(line.c_str());
    CHECK(WEXITSTATUS(status) == 2);
    CHECK_THAT(support::read_file(err), ContainsSubstring("standard output cannot be written"));
  }
}

TEST_CASE("Takes unique prefixes of flags, underscores and values with a dash", "[e2e]") {
  const std::string expected = run_program(with(kExample, {"--shot", "2", "--limit", "1"})).out;
  CHECK(run_program(with(kExample, {"--sho", "2", "--lim", "1", "--system", " "})).out == expected);
  CHECK(run_program(with(kExample, {"--shot=2", "--limit=1", "--system_prompt", " "})).out ==
        expected);
  CHECK_THAT(run_program(with(kExample, {"--seed", "-2"})).err,
             ContainsSubstring("at least 0, found -2"));
}

TEST_CASE("Writes the prompts of every program", "[e2e]") {
  const auto first = [](const std::vector<std::string>& more,
                        const std::string& config = "configs/example/config.yaml") {
    const ProgramResult result =
        run_program(with({"prompts", "GoEmotions", "--config", config}, more));
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return nlohmann::json::parse(result.out.substr(0, result.out.find('\n')));
  };
  CHECK(first({"--distribution", "binary"})["id"].get<std::string>().ends_with(
      "_binary_joy_optimism"));
  CHECK(first({"--program", "classify"})["text"] == first({})["text"]);
  const nlohmann::json pair = first({"--program", "assess"}, "configs/example/assess.yaml");
  CHECK(pair["text"].get<std::string>().ends_with(
      "Label: " + pair["checked_label"].get<std::string>() + "\nAssessment:"));
}

TEST_CASE("Flags that change nothing are taken with a warning where users may think otherwise",
          "[e2e]") {
  const ProgramResult result = run_program(
      {"run", "GoEmotions", "--config", "configs/example/config.yaml", "--model-name",
       fixture("e2e/model").string(), "--dry-run", "--tf32", "--device", "cpu", "--dev-splits",
       "dev", "--accelerate", "--dataloader-num-workers", "2", "--sentence-model", "x"});
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.err, ContainsSubstring("--dev-splits: dev_splits changes nothing"));
  CHECK_THAT(result.err, ContainsSubstring("--tf32: tf32 changes nothing"));
  CHECK_THAT(result.err, ContainsSubstring("float32 on cpu"));
  CHECK_THAT(result.err, !ContainsSubstring("sentence"));

  const ProgramResult generated =
      run_program({"generate", "--model-name", fixture("e2e/model").string(), "--prompts", "-",
                   "--max-new-tokens", "1", "--device", "cpu", "--tf32"},
                  R"({"id": "a", "token_ids": [1, 2, 3]})");
  CHECK(generated.exit_code == 0);
  CHECK_THAT(generated.err, ContainsSubstring("warning: --tf32: tf32 changes nothing"));
}

TEST_CASE(
    "A device that is not there stops a run before it makes a folder, and a dry run not at all",
    "[e2e]") {
  const TempFolder logs;
  const std::vector<std::string> arguments = {"run",
                                              "GoEmotions",
                                              "--config",
                                              "configs/example/config.yaml",
                                              "--model-name-or-path",
                                              fixture("e2e/model").string(),
                                              "--device",
                                              "cuda:99",
                                              "--log-root",
                                              logs.path().string()};
  CHECK(run_program(arguments).exit_code == 2);
  const ProgramResult dry = run_program(with(arguments, {"--dry-run"}));
  CHECK(dry.exit_code == 0);
  CHECK_THAT(dry.err, ContainsSubstring("cuda:99"));
  CHECK(std::filesystem::is_empty(logs.path()));
}

TEST_CASE("An id that no split has is a warning with a count", "[e2e]") {
  const TempFolder folder;
  write_file(folder.path() / "ids.txt", "xyzzy1\nxyzzy2\n");
  const std::string known = run_program(with(kExample, {"--limit", "1"})).out;
  const std::string id = nlohmann::json::parse(known)["id"].get<std::string>();
  write_file(folder.path() / "ids.txt", "xyzzy1\nxyzzy2\n" + id.substr(0, id.find("__")) + "\n");
  const ProgramResult result =
      run_program(with(kExample, {"--test-ids-filename", (folder.path() / "ids.txt").string()}));
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.err, ContainsSubstring("warning"));
  CHECK_THAT(result.err, ContainsSubstring("2"));
  CHECK_THAT(result.err, ContainsSubstring("xyzzy1"));
}

}  // namespace
}  // namespace labelprobe
