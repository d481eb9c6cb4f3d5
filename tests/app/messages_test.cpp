// What the program says when a user makes a mistake, and what its help promises.
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
using support::write_file;

const std::vector<std::string> kExample = {"prompts", "GoEmotions", "--config",
                                           "configs/example/config.yaml"};

std::vector<std::string> with(std::vector<std::string> arguments,
                              const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

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
          ContainsSubstring("8.030 billion parameters;   16.06 GB in bfloat16,   6.03 GB in FP4"));
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

struct Mistake {
  std::vector<std::string> arguments;
  int exit_code;
  std::vector<std::string> said;
};

TEST_CASE("Every mistake is answered with its place, the nearest valid choice and its exit code",
          "[e2e]") {
  const TempFolder folder;
  const auto path = [&](const std::string& name) { return (folder.path() / name).string(); };
  write_file(folder.path() / "typo.yaml", "shot: 2\nsampling_stratgy: uniform\n");
  write_file(folder.path() / "list.yaml", "root_dir: {a: 1}\n");
  write_file(folder.path() / "number.yaml", "shot: ten\n");
  write_file(folder.path() / "twice.yaml", "shot: 2\nshot: 3\n");
  write_file(folder.path() / "broken.yaml", "shot: [2\n");
  write_file(folder.path() / "grid.yaml", "limit: 1\nshot: [2, ten]\n");
  write_file(folder.path() / "roots.yaml", "root_dir: [a, b]\n");
  write_file(folder.path() / "key.yaml", "TASK: GoEmotions\n");
  write_file(folder.path() / "mode.yaml", "shot: 2\nlabel_mode: randm\n");
  const std::vector<std::string> pair = {"prompts", "GoEmotions", "--program",
                                         "assess",  "--config",   "configs/example/assess.yaml"};
  const std::vector<std::string> run = {"run", "GoEmotions", "--config",
                                        "configs/example/config.yaml"};
  const std::string model = fixture("e2e/model").string();
  const std::vector<Mistake> mistakes = {
      {{"rnu"}, 2, {"unknown command 'rnu'", "did you mean 'run'?"}},
      {with(kExample, {"--shots", "2"}), 2, {"unknown flag '--shots'", "did you mean '--shot'?"}},
      {with(kExample, {"--samplng", "uniform"}), 2, {"did you mean '--sampling-strategy'?"}},
      {with(kExample, {"--train", "x"}),
       2,
       {"--train is the beginning of several flags", "--train-splits"}},
      {{"prompts", "GoEmotion"}, 2, {"GoEmotion"}},
      {{"prompts", "GoEmotion", "--config", "configs/example/config.yaml"},
       2,
       {"did you mean 'GoEmotions'?"}},
      {{"prompts", "GoEmotions", "--config", path("typo.yaml")},
       2,
       {"typo.yaml:2: unknown key 'sampling_stratgy'", "did you mean 'sampling_strategy'?"}},
      {{"prompts", "GoEmotions", "--config", path("list.yaml")},
       2,
       {"list.yaml:1: expected a value"}},
      {{"prompts", "GoEmotions", "--config", path("number.yaml")},
       2,
       {"number.yaml:1: shot: expected one integer, found 'ten'"}},
      {{"prompts", "GoEmotions", "--config", path("twice.yaml")}, 2, {"twice.yaml:2: key 'shot'"}},
      {{"prompts", "GoEmotions", "--config", path("broken.yaml")}, 2, {"broken.yaml:"}},
      {{"prompts", "GoEmotions", "--config", path("absent.yaml")},
       2,
       {"absent.yaml: cannot be opened: No such file"}},
      {with(kExample, {"--sampling-strategy", "unifrom"}), 2, {"did you mean 'uniform'?"}},
      {with(kExample, {"--label-format", "jsom"}), 2, {"did you mean 'json'?"}},
      {with(kExample, {"--annotation-mode", "agregate"}), 2, {"did you mean 'aggregate'?"}},
      {with(kExample, {"--test-splits", "dve"}), 2, {"dev"}},
      {with(kExample, {"--shot", "1000"}), 2, {"1000"}},
      {with(kExample, {"--incontext-prompt", "Input: {text}\n"}), 2, {"{label}"}},
      {with(kExample, {"--root-dir", path("nowhere")}), 3, {"nowhere"}},
      {with(kExample, {"--test-ids-filename", path("no-ids.txt")}), 3, {"no-ids.txt"}},
      {run, 2, {"--model-name-or-path is required"}},
      {with(run, {"--model-name", model, "--distribution", "base"}),
       2,
       {"did you mean 'baseline'?"}},
      {with(run, {"--model-name", model, "--model-dtype", "float23"}), 2, {"float32"}},
      {with(run, {"--model-name", model, "--load-in-4bit", "--load-in-8bit"}),
       2,
       {"load_in_8bit asks for int8 weights, but --load-in-4bit for fp4"}},
      {with(run, {"--model-name", model, "--quant", "nf4", "--load-in-4bit"}),
       2,
       {"quant asks for nf4 weights, but --load-in-4bit for fp4"}},
      {with(run, {"--model-name", model, "--quant", "nf5"}), 2, {"did you mean 'nf4'?"}},
      {with(run, {"--model-name", model, "--save-quantised", path("copy")}),
       2,
       {"save_quantised needs --quant"}},
      {with(run, {"--model-name", model, "--quant", "fp4", "--save-quantised", model}),
       2,
       {"is there already", "name it as --model-name-or-path"}},
      {{"generate", "--model-name", model, "--prompts", "-", "--max-new-tokens", "1",
        "--load-in-4bit", "--quant", "int8"},
       2,
       {"quant asks for int8 weights, but --load-in-4bit for fp4"}},
      {{"make-model", "--shape", "llama-3.1-8", "--out", path("m")},
       2,
       {"did you mean 'llama-3.1-8b'?"}},
      {{"make-model", "--shape", "smollm2-135m", "--out", model}, 4, {"is there already"}},
      {{"make-model", "--shape", "smollm2-135m", "--out", path("m"), "--layers", "31"},
       2,
       {"expected 1 to 30 layers, found 31"}},
      {{"make-model", "--shape", "smollm2-135m", "--out", path("m"), "--layers", "0"},
       2,
       {"--layers: expected an integer of at least 1, found 0"}},
      {{"make-model", "--shape", "smollm2-135m", "--out", path("m"), "--dtype", "int8"},
       2,
       {"bfloat16"}},
      {{"make-model", "--shape", "smollm2-135m", "--out", path("m"), "--quant", "nf5"},
       2,
       {"did you mean 'nf4'?"}},
      {{"make-model", "--shape", "smollm2-135m"}, 2, {"--out: expected the folder to write"}},
      {{"make-model", "--shape", "smollm2-135m", "--out", path("m"), "--tokenizer", path("no")},
       2,
       {"expected the folder of a tokenizer or model"}},
      {with(run, {"--model-name", model, "--label-variants", "strickt"}),
       2,
       {"did you mean 'strict'?"}},
      {with(run, {"--model-name", model, "--logging-level", "inof"}), 2, {"did you mean 'info'?"}},
      {with(run, {"--model-name", model, "--max-new-tokens", "0"}), 2, {"at least 1, found 0"}},
      {with(run, {"--model-name", "no-org/no-model"}), 4, {"hf download no-org/no-model"}},
      {with(run, {"--model-name", model, "--device", "cuda:99", "--log-root", path("logs")}),
       2,
       {"cuda"}},
      {with(run, {"--model-name", model, "--alternative", "{modle}", "--log-root", path("logs")}),
       2,
       {"modle"}},
      {{"generate", "--prompts", path("."), "--max-new-tokens", "1", "-m", model},
       3,
       {"expected a file, found a folder"}},
      {{"generate", "--prompts", path("absent.jsonl"), "--max-new-tokens", "1", "-m", model},
       3,
       {"absent.jsonl: expected JSON lines, found no such file"}},
      {{"generate", "--prompts", "/dev/null", "--max-new-tokens", "1", "-m", model},
       3,
       {"/dev/null: expected a file, found something else"}},
      {{"prompts", "GoEmotions", "--config", path(".")}, 2, {"expected a file, found a folder"}},
      {{"run"}, 2, {"TASK is required", "--shot is required", ", e.g. 10", "--config configs/"}},
      {{"prompts", "GoEmotions", "--config", path("grid.yaml")},
       2,
       {"grid.yaml:2: shot: expected one integer, found 'ten'"}},
      {{"prompts", "GoEmotions", "--config", path("mode.yaml"), "--config",
        "configs/example/config.yaml"},
       2,
       {"mode.yaml:2: unknown label mode 'randm'", "did you mean 'random'?"}},
      {with(kExample, {"--label-mode", "preds"}),
       2,
       {"label_mode preds needs --train-pred-log-dir"}},
      {with(kExample, {"--test-pred-log-index", "1"}),
       2,
       {"test_pred_log_index needs --test-pred-log-dir"}},
      {with(kExample, {"--train-pred-log-dir", "a|b"}), 2, {"expected one log folder, found 2"}},
      {with(kExample, {"--train-pred-log-dir", path("nowhere")}), 3, {"nowhere"}},
      {with(kExample, {"--cot-csv", path("nowhere.csv")}), 3, {"nowhere.csv"}},
      {with(kExample, {"--retries", "0"}),
       2,
       {"retries: expected an integer of at least 1, found 0"}},
      {with(kExample, {"--max-length", "512"}), 2, {"max_length: Not supported"}},
      {with(kExample, {"--label-mode", "distribution", "--label-same-length"}),
       2,
       {"label_same_length counts tokens, which needs a model"}},
      {with(kExample, {"--limit", "args.shots"}),
       2,
       {"--limit: args.shots", "did you mean 'shot'?"}},
      {with(kExample, {"{", "--shot", "2"}),
       2,
       {"a '{' that opens a group of flags is not closed"}},
      {with(kExample, {"--shot", "2", "}"}), 2, {"'}' closes no group"}},
      {with(run, {"--log-root", "a", "b"}), 2, {"not expected: b"}},
      {{"run", "--shot", "5"}, 2, {"TASK is required"}},
      {with(kExample, {"--program", "asess"}), 2, {"did you mean 'assess'?"}},
      {with(kExample, {"--program", "classify", "--distribution", "unary"}),
       2,
       {"--distribution belongs to --program run"}},
      {with(kExample, {"--yn-labels", "true"}), 2, {"--yn-labels belongs to --program assess"}},
      {with(pair, {"--unreasonable-rate", "half"}),
       2,
       {"--unreasonable-rate: expected one number, found 'half'"}},
      {with(pair, {"--unreasonable-rate", "1.5"}), 2, {"expected a number from 0 to 1, found 1.5"}},
      {with(pair, {"--query-label-mode", "preds"}),
       2,
       {"query_label_mode preds needs --test-pred-log-dir"}},
      {with(pair, {"--incontext-prompt", "Input: {text}\n{label}\n"}), 2, {"{r}"}},
      {with(run, {"--unreasonable-rate", "1"}),
       2,
       {"unknown flag '--unreasonable-rate' (a flag of labelprobe assess, prompts)"}},
      {{"classify", "GoEmotions", "--distribution", "unary"},
       2,
       {"unknown flag '--distribution' (a flag of labelprobe run, plan, inspect, prompts)"}},
      {with(run, {"--model-name", model, "--word-embeddings-model", "glove"}),
       2,
       {"word_embeddings_model: Not supported"}},
      {with(run, {"--model-name", model, "--model-load-filename", "x.pt"}),
       2,
       {"model_load_filename: Not supported"}},
      {{"ls", "dataset"}, 2, {"did you mean 'datasets'?"}},
      {{"completion", "bsh"}, 2, {"unknown shell 'bsh'", "did you mean 'bash'?"}},
      {{}, 2, {"expected a command"}},
      {{"show"}, 2, {"FOLDER is required: Log folder of a run"}},
      {{"show", path("nowhere"), "--experiment"}, 2, {"--experiment: expected a value behind it"}},
      {{"compare", "a", "b", "--top", "-1"},
       2,
       {"--top: expected an integer of at least 0, found -1"}},
      {{"compare", "a", "b", "--top", "4294967296000000000000"},
       2,
       {"--top: expected one integer, found '4294967296000000000000'"}},
      {with(kExample, {"--shot", "4294967296"}),
       2,
       {"--shot: expected an integer of at most 2147483647, found 4294967296"}},
      {{"data", "GoEmotions", "--config", path("roots.yaml")},
       2,
       {"roots.yaml:1: root_dir: expected one value, found several"}},
      {with(kExample, {"--config", path("key.yaml")}), 2, {"key.yaml:1: unknown key 'TASK'"}},
      {{"show", path("nowhere")}, 3, {"expected the log folder of a finished run"}},
  };
  for (const Mistake& mistake : mistakes) {
    std::string command = "labelprobe";
    for (const std::string& argument : mistake.arguments) {
      command += " " + argument;
    }
    const ProgramResult result = run_program(mistake.arguments);
    CAPTURE(command, result.err);
    CHECK(result.exit_code == mistake.exit_code);
    for (const std::string& part : mistake.said) {
      CHECK_THAT(result.err, ContainsSubstring(part));
    }
  }
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
