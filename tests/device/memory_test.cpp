// Little memory, and memory that is refused: the same log, or an error that says so; never another
// log, never a crash.
#include "device/device_run.h"

namespace labelprobe {
namespace {

using support::DeviceRun;
using support::on_gpu;
using support::read_file;
using support::run_on_standin;
using support::TempFolder;

const std::vector<std::string> kFew = {"--limit", "5"};

// The log of a run that has all the memory it wants, made once.
const std::string& whole_log() {
  static const std::string log = support::log_of(kFew);
  return log;
}

// The log, or nothing where the run ended with the error of too little memory.
std::string log_or_error(const support::Environment& settings) {
  const TempFolder logs;
  const DeviceRun run = run_on_standin(on_gpu(logs.path(), kFew), settings);
  INFO(run.program.err);
  REQUIRE_FALSE(run.report.is_null());
  CHECK(run.report.at("complaints") == nlohmann::json::object());
  if (run.program.exit_code == 0) {
    return read_file(logs.path() / "GoEmotions" / "e2e_0" / "indexed_metrics.yml");
  }
  CHECK(run.program.exit_code == 4);
  CHECK_THAT(run.program.err, ContainsSubstring("memory"));
  return "";
}

}  // namespace

TEST_CASE("With any amount of memory a run writes the same log or says that it does not fit",
          "[device]") {
  const std::string& whole = whole_log();
  std::vector<int> that_fit;
  for (const int n_mib : {1, 24, 48, 64, 200}) {
    CAPTURE(n_mib);
    const std::string log = log_or_error({{"STANDIN_MEMORY_MIB", std::to_string(n_mib)}});
    if (!log.empty()) {
      CHECK(log == whole);
      that_fit.push_back(n_mib);
    } else {
      CHECK(that_fit.empty());  // more memory is never worse
    }
  }
  CHECK(that_fit.size() >= 3);
  // What other processes hold is not there.
  CHECK(log_or_error({{"STANDIN_MEMORY_MIB", "8000"}, {"STANDIN_OTHERS_MIB", "7936"}}) == whole);
  CHECK(log_or_error({{"STANDIN_MEMORY_MIB", "8000"}, {"STANDIN_OTHERS_MIB", "7999"}}).empty());
}

TEST_CASE("Any one allocation may fail", "[device]") {
  const std::string& whole = whole_log();
  int n_recovered = 0;
  for (const int n : {1, 3, 4, 5, 6}) {
    CAPTURE(n);
    const std::string log = log_or_error({{"STANDIN_FAIL_ALLOCATION", std::to_string(n)}});
    if (log.empty()) continue;
    CHECK(log == whole);
    ++n_recovered;
  }
  CHECK(n_recovered >= 3);
}

TEST_CASE("A graph that cannot be made is tried again later", "[device]") {
  const TempFolder logs;
  const DeviceRun run =
      support::run_well(on_gpu(logs.path(), {"--limit", "5", "--batch-size", "3", "--no-drafts"}),
                        {{"STANDIN_FAIL_GRAPH", "1"}});
  CHECK(run.count("graph launches") > 0);
  CHECK(read_file(logs.path() / "GoEmotions" / "e2e_0" / "indexed_metrics.yml") == whole_log());
}

// A real model that leaves a GPU of 900 MiB little beside its weights; nothing is computed.
DeviceRun run_smollm2(const std::vector<std::string>& more,
                      const std::string& n_mib = "900",
                      const std::string& device = "cuda") {
  const TempFolder logs;
  std::vector<std::string> arguments = {"run",
                                        "GoEmotions",
                                        "--config",
                                        "configs/example/config.yaml",
                                        "--model-name-or-path",
                                        support::smollm2_gguf().string(),
                                        "--max-new-tokens",
                                        "18",
                                        "--device",
                                        device,
                                        "--no-drafts",
                                        "--log-root",
                                        logs.path().string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return support::run_on_standin(
      arguments, {{"STANDIN_MEMORY_MIB", n_mib}, {"STANDIN_NUMBERS", "0"}, {"STANDIN_GPUS", "2"}});
}

DeviceRun run_smollm2_well(const std::vector<std::string>& more, const std::string& n_mib = "900") {
  DeviceRun run = run_smollm2(more, n_mib);
  INFO(run.program.err);
  REQUIRE(run.program.exit_code == 0);
  CHECK_FALSE(run.complains());
  return run;
}

TEST_CASE("A model that one GPU does not hold runs on two", "[device]") {
  if (support::smollm2_gguf().empty()) SKIP_ALOUD("the small model is not there");
  const DeviceRun one = run_smollm2({"--limit", "4"}, "500");
  CHECK(one.program.exit_code == 4);
  CHECK_THAT(one.program.err,
             ContainsSubstring("do not fit") && ContainsSubstring("--device cuda:0,cuda:1"));
  const DeviceRun two = run_smollm2({"--limit", "4"}, "500", "cuda:0,cuda:1");
  INFO(two.program.err);
  CHECK(two.program.exit_code == 0);
  CHECK_FALSE(two.complains());
}

TEST_CASE("A model that fills most of a GPU is decoded in a few large chunks", "[device]") {
  if (support::smollm2_gguf().empty()) SKIP_ALOUD("the small model is not there");
  const DeviceRun run = run_smollm2_well({"--distribution", "unary"});
  // There are 320 prompts; the first chunks show how much memory there really is.
  CHECK(run.count("recordings") <= 12);
  CHECK(run.launches() < 320 * 200);
}

TEST_CASE("Settings of a grid are computed in as many pieces as each alone, in no more memory",
          "[device]") {
  if (support::smollm2_gguf().empty()) SKIP_ALOUD("the small model is not there");
  const std::vector<std::string> one = {"--seed", "0"};
  const std::vector<std::string> three = {"--seed", "0", "1", "2"};
  // The warm-up is done once, whatever follows.
  CHECK(run_smollm2_well(three).launches() < 3 * run_smollm2_well(one).launches());
  const std::int64_t n_bytes = run_smollm2_well(one, "4000").peak_bytes();
  CHECK(run_smollm2_well(three, "4000").peak_bytes() <= n_bytes + n_bytes / 20);
}

TEST_CASE("A model's memory is given back before the next one is loaded, and at the end",
          "[device]") {
  if (support::smollm2_gguf().empty()) SKIP_ALOUD("the small model is not there");
  const std::int64_t n_bytes = run_smollm2_well({"--model-dtype", "float32"}, "4000").peak_bytes();
  const DeviceRun both = run_smollm2_well({"--model-dtype", "bfloat16", "float32"}, "4000");
  CHECK(both.peak_bytes() <= n_bytes + n_bytes / 20);
  // cuBLAS keeps its workspaces.
  CHECK(both.bytes_at_end() <= std::int64_t{100} << 20);
}

}  // namespace labelprobe
