// What the program says when a user makes a mistake.
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

const std::vector<std::string> kExampleCall = {"prompts", "GoEmotions", "--config",
                                               "configs/example/config.yaml"};

struct WrongCall {
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
  const std::vector<WrongCall> mistakes = {
      {{"rnu"}, 2, {"unknown command 'rnu'", "did you mean 'run'?"}},
      {with(kExampleCall, {"--shots", "2"}),
       2,
       {"unknown flag '--shots'", "did you mean '--shot'?"}},
      {with(kExampleCall, {"--samplng", "uniform"}), 2, {"did you mean '--sampling-strategy'?"}},
      {with(kExampleCall, {"--train", "x"}),
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
      {with(kExampleCall, {"--sampling-strategy", "unifrom"}), 2, {"did you mean 'uniform'?"}},
      {with(kExampleCall, {"--label-format", "jsom"}), 2, {"did you mean 'json'?"}},
      {with(kExampleCall, {"--annotation-mode", "agregate"}), 2, {"did you mean 'aggregate'?"}},
      {with(kExampleCall, {"--test-splits", "dve"}), 2, {"dev"}},
      {with(kExampleCall, {"--shot", "1000"}), 2, {"1000"}},
      {with(kExampleCall, {"--incontext-prompt", "Input: {text}\n"}), 2, {"{label}"}},
      {with(kExampleCall, {"--root-dir", path("nowhere")}), 3, {"nowhere"}},
      {with(kExampleCall, {"--test-ids-filename", path("no-ids.txt")}), 3, {"no-ids.txt"}},
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
      {{"make-model", "--shape", "tiny", "--out", path("m"), "--quant", "q4_k"},
       2,
       {"--quant q4_k: expected none, fp4", "--format gguf has it"}},
      {{"make-model", "--shape", "tiny", "--out", path("m"), "--format", "gguf", "--quant", "fp4"},
       2,
       {"--quant fp4: expected none, q4_k, q4_0, q8_0 with --format gguf"}},
      {{"make-model", "--shape", "tiny", "--out", model, "--format", "gguf"},
       4,
       {"expected no such file yet, found one"}},
      {{"make-model", "--shape", "tiny", "--out", path("m"), "--format", "gguf", "--tokenizer",
        model},
       2,
       {"expected a GGUF file with --format gguf"}},
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
      {with(kExampleCall, {"--label-mode", "preds"}),
       2,
       {"label_mode preds needs --train-pred-log-dir"}},
      {with(kExampleCall, {"--test-pred-log-index", "1"}),
       2,
       {"test_pred_log_index needs --test-pred-log-dir"}},
      {with(kExampleCall, {"--train-pred-log-dir", "a|b"}),
       2,
       {"expected one log folder, found 2"}},
      {with(kExampleCall, {"--train-pred-log-dir", path("nowhere")}), 3, {"nowhere"}},
      {with(kExampleCall, {"--cot-csv", path("nowhere.csv")}), 3, {"nowhere.csv"}},
      {with(kExampleCall, {"--retries", "0"}),
       2,
       {"retries: expected an integer of at least 1, found 0"}},
      {with(kExampleCall, {"--max-length", "512"}), 2, {"max_length: Not supported"}},
      {with(kExampleCall, {"--label-mode", "distribution", "--label-same-length"}),
       2,
       {"label_same_length counts tokens, which needs a model"}},
      {with(kExampleCall, {"--limit", "args.shots"}),
       2,
       {"--limit: args.shots", "did you mean 'shot'?"}},
      {with(kExampleCall, {"{", "--shot", "2"}),
       2,
       {"a '{' that opens a group of flags is not closed"}},
      {with(kExampleCall, {"--shot", "2", "}"}), 2, {"'}' closes no group"}},
      {with(run, {"--log-root", "a", "b"}), 2, {"not expected: b"}},
      {{"run", "--shot", "5"}, 2, {"TASK is required"}},
      {with(kExampleCall, {"--program", "asess"}), 2, {"did you mean 'assess'?"}},
      {with(kExampleCall, {"--program", "classify", "--distribution", "unary"}),
       2,
       {"--distribution belongs to --program run"}},
      {with(kExampleCall, {"--yn-labels", "true"}), 2, {"--yn-labels belongs to --program assess"}},
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
      {with(kExampleCall, {"--shot", "4294967296"}),
       2,
       {"--shot: expected an integer of at most 2147483647, found 4294967296"}},
      {{"data", "GoEmotions", "--config", path("roots.yaml")},
       2,
       {"roots.yaml:1: root_dir: expected one value, found several"}},
      {with(kExampleCall, {"--config", path("key.yaml")}), 2, {"key.yaml:1: unknown key 'TASK'"}},
      {{"show", path("nowhere")}, 3, {"expected the log folder of a finished run"}},
  };
  for (const WrongCall& mistake : mistakes) {
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

}  // namespace
}  // namespace labelprobe
