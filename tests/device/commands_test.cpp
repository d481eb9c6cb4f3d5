// The commands that compute, on a GPU: grids, kills, other ways of asking, other files.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "device/device_run.h"

namespace labelprobe {
namespace {

using support::DeviceRun;
using support::on_gpu;
using support::read_file;
using support::run_well;
using support::TempFolder;

std::string answers_of(const std::string& device, const std::vector<std::string>& more) {
  const TempFolder folder;
  support::write_file(folder.path() / "prompts.jsonl",
                      "{\"id\": \"a\", \"text\": \"Hello there, what is this?\"}\n"
                      "{\"id\": \"b\", \"text\": \"Hello there, what is that over there?\"}\n");
  std::vector<std::string> arguments = {"generate",
                                        "--model-name-or-path",
                                        support::fixture("e2e/model").string(),
                                        "--prompts",
                                        (folder.path() / "prompts.jsonl").string(),
                                        "--max-new-tokens",
                                        "6",
                                        "--device",
                                        device};
  arguments.insert(arguments.end(), more.begin(), more.end());
  if (device == "cuda") return run_well(arguments).program.out;
  return support::run_program(arguments).out;
}

}  // namespace

TEST_CASE("generate answers on a GPU as on the CPU, with rules and where logits are kept",
          "[device]") {
  const std::string plain = answers_of("cpu", {});
  REQUIRE_FALSE(plain.empty());
  CHECK(answers_of("cuda", {}) == plain);
  const std::vector<std::string> rules = {"--repetition-penalty", "1.3", "--ignore-eos"};
  CHECK(answers_of("cuda", rules) == answers_of("cpu", rules));
  const TempFolder folder;
  const std::string logits = (folder.path() / "logits.safetensors").string();
  CHECK(answers_of("cuda", {"--logits-out", logits}) == plain);
}

TEST_CASE("A grid on a GPU writes what its settings write alone", "[device]") {
  const TempFolder logs;
  const DeviceRun grid =
      run_well(on_gpu(logs.path(), {"--limit", "3", "--distribution", "baseline", "unary"}));
  for (const auto& [distribution, folder] :
       {std::pair("baseline", "e2e_0"), std::pair("unary", "e2e_1")}) {
    CAPTURE(distribution);
    CHECK(read_file(logs.path() / "GoEmotions" / folder / "indexed_metrics.yml") ==
          support::log_of({"--limit", "3", "--distribution", distribution}));
  }
}

TEST_CASE("A run on a GPU that is killed goes on and ends in the same bytes", "[device]") {
  const TempFolder logs;
  const std::vector<std::string> flags = {"--batch-size", "2"};
  const std::filesystem::path killed = logs.path() / "GoEmotions" / "e2e_0";
  support::StartedProgram program(on_gpu(logs.path(), flags), "", support::with_standin());
  const std::filesystem::path journal = killed / "journal_0.jsonl";
  std::error_code missing;
  for (int waits = 0; waits < 6000; ++waits) {
    const std::uintmax_t size = std::filesystem::file_size(journal, missing);
    if (!missing && size >= 6000) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ::kill(program.pid(), SIGKILL);
  REQUIRE(program.finish().exit_code == 128 + SIGKILL);
  run_well(on_gpu(logs.path()));
  CHECK(read_file(killed / "indexed_metrics.yml") == support::log_of({}));
}

TEST_CASE("classify and assess run on a GPU", "[device]") {
  for (const auto& [command, config] : {std::pair("classify", "configs/example/config.yaml"),
                                        std::pair("assess", "configs/example/assess.yaml")}) {
    CAPTURE(command);
    const TempFolder logs;
    const auto metrics_on = [&, command = command, config = config](const std::string& device) {
      const std::vector<std::string> arguments = {command,
                                                  "GoEmotions",
                                                  "--config",
                                                  config,
                                                  "--model-name-or-path",
                                                  support::fixture("e2e/model").string(),
                                                  "--max-new-tokens",
                                                  "8",
                                                  "--limit",
                                                  "2",
                                                  "--log-root",
                                                  (logs.path() / device).string(),
                                                  "--alternative-experiment-name",
                                                  "e2e",
                                                  "--device",
                                                  device};
      if (device == "cuda") {
        run_well(arguments);
      } else {
        REQUIRE(support::run_program(arguments).exit_code == 0);
      }
      return read_file(logs.path() / device / "GoEmotions" / "e2e_0" / "metrics.yml");
    };
    CHECK(metrics_on("cuda") == metrics_on("cpu"));
  }
}

}  // namespace labelprobe
