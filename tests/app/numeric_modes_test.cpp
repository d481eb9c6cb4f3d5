// Quantised weights and random checkpoints, from flags to files.
#include <nlohmann/json.hpp>

#include "labelprobe/record/logged_run.h"

#include "app/e2e_run.h"
#include "support/catch.h"

namespace labelprobe {
namespace {

using support::fixture;
using support::ProgramResult;
using support::read_file;
using support::run_arguments;
using support::run_program;
using support::TempFolder;

std::filesystem::path log_folder(const TempFolder& logs, const std::string& name) {
  return logs.path() / "GoEmotions" / name;
}

std::vector<record::ItemRecord> items_of(const TempFolder& logs, const std::string& name) {
  return record::read_run(log_folder(logs, name)).items;
}

ProgramResult run_few(const TempFolder& logs, std::vector<std::string> more) {
  more.insert(more.end(), {"--limit", "2"});
  ProgramResult result = run_program(run_arguments(logs.path(), more));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return result;
}

}  // namespace

TEST_CASE("A run with quantised weights says so and has a folder of its own, however it was asked",
          "[e2e]") {
  const TempFolder logs;
  CHECK_THAT(run_few(logs, {}).err, ContainsSubstring("s: float32 on cpu"));
  const ProgramResult packed = run_few(logs, {"--load-in-4bit"});
  CHECK_THAT(packed.err, ContainsSubstring("FP4 weights, float32 on cpu"));
  CHECK(packed.out == log_folder(logs, "e2e_1").string() + "\n");
  CHECK(run_few(logs, {"--quant", "fp4", "--again"}).out == packed.out);
  CHECK(record::read_run(log_folder(logs, "e2e_1"), 1).items ==
        record::read_run(log_folder(logs, "e2e_1"), 0).items);
  CHECK_FALSE(items_of(logs, "e2e_1") == items_of(logs, "e2e_0"));
  const std::string params = read_file(log_folder(logs, "e2e_1") / "params.yml");
  CHECK_THAT(params, ContainsSubstring("quant: fp4"));
  CHECK_THAT(params, ContainsSubstring("load_in_4bit: true"));
  CHECK_THAT(run_few(logs, {"--load-in-8bit"}).err, ContainsSubstring("int8 weights, float32"));
}

TEST_CASE("Weights stay packed where a GGUF file has them so, or the program says why not",
          "[e2e]") {
  const TempFolder logs;
  const ProgramResult folder =
      run_program(run_arguments(logs.path(), {"--weights", "packed", "--dry-run"}));
  CHECK(folder.exit_code == 2);
  CHECK_THAT(folder.err, ContainsSubstring("--weights packed: expected weights that can stay "
                                           "packed; the model's files hold no blocks of a GGUF "
                                           "type"));
  const std::string gguf = fixture("model/gguf/llama.gguf").string();
  const ProgramResult both =
      run_program(run_arguments(logs.path(), {"--model-name-or-path", gguf, "--weights", "packed",
                                              "--quant", "nf4", "--dry-run"}));
  CHECK(both.exit_code == 2);
  CHECK_THAT(both.err, ContainsSubstring("--quant nf4 makes other ones of them"));
  const std::filesystem::path small = support::smollm2_gguf();
  if (small.empty()) SKIP_ALOUD("SmolLM2 has not been fetched (scripts/get_model.sh)");
  const ProgramResult packed =
      run_few(logs, {"--model-name-or-path", small.string(), "--weights", "packed"});
  CHECK_THAT(packed.err, ContainsSubstring("packed weights, float32 on cpu"));
  run_few(logs, {"--model-name-or-path", small.string(), "--weights", "unpacked"});
  CHECK_THAT(read_file(log_folder(logs, "e2e_0") / "params.yml"),
             ContainsSubstring("weights: packed"));
  const auto items = items_of(logs, "e2e_0");
  const auto unpacked = items_of(logs, "e2e_1");
  REQUIRE(items.size() == unpacked.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    CHECK(items[i].outs == unpacked[i].outs);
    CHECK_FALSE(items[i] == unpacked[i]);
  }
}

TEST_CASE("A run from a packed copy is the run that wrote it", "[e2e]") {
  const TempFolder logs;
  const std::string copy = (logs.path() / "copy").string();
  const ProgramResult first = run_few(logs, {"--quant", "nf4", "--save-quantized", copy});
  CHECK_THAT(first.err, ContainsSubstring("packed copy written to " + copy));
  run_few(logs, {"--quant", "nf4", "--again"});
  run_few(logs, {"--model-name-or-path", copy});
  const auto items = record::read_run(log_folder(logs, "e2e_0"), 0).items;
  CHECK(record::read_run(log_folder(logs, "e2e_0"), 1).items == items);
  CHECK(items_of(logs, "e2e_1") == items);
  CHECK_THAT(read_file(log_folder(logs, "e2e_1") / "params.yml"), ContainsSubstring("quant: nf4"));
  const ProgramResult again =
      run_program(run_arguments(logs.path(), {"--quant", "nf4", "--save-quantised", copy}));
  CHECK(again.exit_code == 2);
  CHECK_THAT(again.err, ContainsSubstring("is there already"));
}

TEST_CASE("A grid shares a packed copy, unless its weights differ", "[e2e]") {
  const TempFolder logs;
  const std::string copy = (logs.path() / "copy").string();
  const ProgramResult shared =
      run_program(run_arguments(logs.path(), {"--limit", "1", "--load-in-4bit", "--save-quantised",
                                              copy, "--shot", "1", "2"}));
  INFO(shared.err);
  CHECK(shared.exit_code == 0);
  const std::string other = (logs.path() / "other").string();
  const ProgramResult clash = run_program(run_arguments(
      logs.path(), {"--limit", "1", "--quant", "fp4", "nf4", "--save-quantised", other}));
  CHECK(clash.exit_code == 2);
  CHECK_THAT(clash.err, ContainsSubstring("another setting's weights"));
}

TEST_CASE("A dry run says how weights are kept, whether they fit, and writes no copy", "[e2e]") {
  const TempFolder logs;
  const ProgramResult result =
      run_program(run_arguments(logs.path(), {"--dry-run", "--load-in-4bit", "--save-quantised",
                                              (logs.path() / "copy").string()}));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  for (const char* part : {"FP4 weights, float32", "free on cpu, where the weights fit",
                           "copy first, and run from there", "nothing was run"}) {
    CHECK_THAT(result.out, ContainsSubstring(part));
  }
  CHECK(std::filesystem::is_empty(logs.path()));
}

TEST_CASE("make-model writes a model that runs take, with the tokenizer it is given", "[e2e]") {
  const TempFolder folder;
  const std::string out = (folder.path() / "model").string();
  const ProgramResult made =
      run_program({"make-model", "--shape", "smollm2-135m", "--layers", "1", "--out", out,
                   "--tokenizer", fixture("e2e/model").string()});
  INFO(made.err);
  REQUIRE(made.exit_code == 0);
  CHECK(made.out == out + "\n");
  CHECK_THAT(made.err, ContainsSubstring("0.06 of 0.06 GB written"));
  const ProgramResult run =
      run_program(run_arguments(folder.path() / "logs", {"--model-name", out, "--limit", "1"}));
  INFO(run.err);
  CHECK(run.exit_code == 0);

  const std::string bare = (folder.path() / "bare").string();
  const ProgramResult without =
      run_program({"make-model", "--shape", "smollm2-135m", "--layers", "1", "--out", bare});
  CHECK_THAT(without.err, ContainsSubstring("with --tokenizer FOLDER"));
  CHECK(read_file(bare + "/model.safetensors") == read_file(out + "/model.safetensors"));
  const ProgramResult generated = run_program({"generate", "--model-name", bare, "--prompts", "-",
                                               "--max-new-tokens", "1", "--device", "cpu"},
                                              R"({"id": "a", "token_ids": [1, 2, 3]})");
  INFO(generated.err);
  CHECK(generated.exit_code == 0);
}

TEST_CASE("make-model says what a model takes, and writes it packed", "[e2e]") {
  const ProgramResult planned =
      run_program({"make-model", "--shape", "llama-3.1-70b", "--quant", "fp4", "--dry-run"});
  INFO(planned.err);
  REQUIRE(planned.exit_code == 0);
  // Two bytes for each of 128,256 * 8,192 numbers; 4.5 bits for each of the MLP's.
  CHECK_THAT(planned.out, ContainsSubstring("2,101,346,304"));
  CHECK_THAT(planned.out, ContainsSubstring("31,708,938,240"));
  CHECK_THAT(planned.out, ContainsSubstring("70,553,706,496"));
  CHECK_THAT(planned.out, ContainsSubstring("327,680 bytes a token"));
  CHECK_THAT(planned.out, ContainsSubstring("does not fit"));

  const TempFolder folder;
  const std::string out = (folder.path() / "model").string();
  const ProgramResult made = run_program(
      {"make-model", "--shape", "smollm2-135m", "--layers", "1", "--quant", "nf4", "--out", out});
  INFO(made.err);
  REQUIRE(made.exit_code == 0);
  const ProgramResult generated =
      run_program({"generate", "--model-name", out, "--prompts", "-", "--max-new-tokens", "1",
                   "--device", "cpu", "--quant", "nf4"},
                  R"({"id": "a", "token_ids": [1, 2, 3]})");
  INFO(generated.err);
  CHECK(generated.exit_code == 0);
}

TEST_CASE("make-model writes a GGUF file of every type, which is computed with", "[e2e]") {
  const TempFolder folder;
  for (const std::string quant : {"none", "q4_k", "q4_0", "q8_0"}) {
    INFO(quant);
    const std::string out = (folder.path() / (quant + ".gguf")).string();
    const ProgramResult made = run_program(
        {"make-model", "--shape", "tiny", "--format", "gguf", "--quant", quant, "--out", out});
    INFO(made.err);
    REQUIRE(made.exit_code == 0);
    CHECK(made.out == out + "\n");
    const ProgramResult generated = run_program({"generate", "--model-name", out, "--prompts", "-",
                                                 "--max-new-tokens", "2", "--device", "cpu"},
                                                R"({"id": "a", "token_ids": [1, 2, 3]})");
    INFO(generated.err);
    CHECK(generated.exit_code == 0);
  }
}

}  // namespace labelprobe
