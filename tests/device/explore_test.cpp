// Explorers on a GPU: the CPU's numbers, the same bits in another schedule, and no complaint.
#include <cmath>

#include "labelprobe/record/logged_run.h"

#include "device/device_run.h"
#include "support/json_lines.h"

namespace labelprobe {
namespace {

using nlohmann::json;
using support::fixture;
using support::json_lines;
using support::run_program;
using support::TempFolder;

constexpr double kTolerance = 1e-4;

std::vector<std::string> with_readouts(std::vector<std::string> more) {
  more.insert(more.begin(), {"--limit", "3", "--readouts", "marginal_exact,mc_rb,marginal_any",
                             "--readout-nodes", "40", "--readout-samples", "20"});
  return more;
}

struct Explored {
  std::vector<record::ItemRecord> items;
  std::string log;
};

Explored explore_on(const std::string& device) {
  const TempFolder logs;
  const auto arguments = support::run_arguments(logs.path(), with_readouts({"--device", device}));
  if (device == "cpu") {
    REQUIRE(run_program(arguments).exit_code == 0);
  } else {
    support::run_well(arguments);
  }
  const std::filesystem::path folder = logs.path() / "GoEmotions" / "e2e_0";
  return {record::read_run(folder).items, support::read_file(folder / "indexed_metrics.yml")};
}

std::vector<std::string> score_on(const std::string& device, const std::string& requests) {
  return {"score",
          "--model-name-or-path",
          fixture("e2e/model").string(),
          "--requests",
          requests,
          "--prompt-logprobs",
          "--device",
          device};
}

}  // namespace

TEST_CASE("On a GPU readouts are the CPU's, the same in another schedule", "[device]") {
  const auto on_cpu = explore_on("cpu").items;
  const auto [on_gpu, log] = explore_on("cuda");
  REQUIRE(on_gpu.size() == on_cpu.size());
  for (std::size_t i = 0; i < on_cpu.size(); ++i) {
    REQUIRE(on_gpu[i].readouts.size() == 3);
    // Draws and the order of expansion may part where two numbers are nearly equal: bounds cannot.
    const record::ReadoutValues& expected = on_cpu[i].readouts[0];
    const record::ReadoutValues& found = on_gpu[i].readouts[0];
    for (std::size_t l = 0; l < expected.probs.size(); ++l) {
      CAPTURE(i, expected.probs[l].first);
      CHECK(found.lower[l].second <= expected.upper[l].second + kTolerance);
      CHECK(found.upper[l].second >= expected.lower[l].second - kTolerance);
    }
  }
  CHECK(support::log_of(with_readouts({"--batch-size", "1", "--no-share-prefixes"})) == log);
}

TEST_CASE("On a GPU scores are the CPU's", "[device]") {
  const TempFolder folder;
  const std::filesystem::path requests = folder.path() / "r.jsonl";
  support::write_file(
      requests,
      R"({"id": "a", "prompt": "Input: Nobody came.", "continuations": [" yes", " no, never"]})"
      "\n"
      R"({"id": "b", "prompt": "Input: Nobody cares", "continuations": [" joy", "\n"]})"
      "\n");
  const auto expected = json_lines(run_program(score_on("cpu", requests.string())).out);
  const auto found = json_lines(support::run_well(score_on("cuda", requests.string())).program.out);
  REQUIRE(expected.size() == 2);
  REQUIRE(found.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t t = 0; t < expected[i]["prompt_logprobs"].size(); ++t) {
      CHECK(std::abs(found[i]["prompt_logprobs"][t].get<double>() -
                     expected[i]["prompt_logprobs"][t].get<double>()) <= kTolerance);
    }
    for (std::size_t c = 0; c < 2; ++c) {
      CHECK(std::abs(found[i]["continuations"][c]["logprob"].get<double>() -
                     expected[i]["continuations"][c]["logprob"].get<double>()) <= kTolerance);
    }
  }
}

}  // namespace labelprobe
