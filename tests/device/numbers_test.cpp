// Numbers of the GPU path: those of the CPU, in every number type, and the same bits whatever the
// schedule.
#include <cmath>

#include "labelprobe/record/logged_run.h"

#include "device/device_run.h"
#include "support/tolerance.h"

namespace labelprobe {
namespace {

using support::log_of;
using support::TempFolder;

// A number type, weights as they are and packed: a grid, so that one process computes both.
struct Mode {
  const char* dtype;
  const char* quantization;
  double tolerance;  // of logits, against the CPU's: it rounds at other places
};

constexpr Mode kModes[] = {
    {"float32", "fp4", 1e-4}, {"bfloat16", "nf4", 0.15}, {"float16", "nf4-double", 0.02}};

std::vector<std::string> joined(std::vector<std::string> flags,
                                const std::vector<std::string>& more) {
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

// The items of all settings of the flags, one after the other.
std::vector<record::ItemRecord> items_of(const std::string& device,
                                         const std::vector<std::string>& flags,
                                         int n_settings = 1) {
  const TempFolder logs;
  const auto arguments = support::run_arguments(logs.path(), joined({"--device", device}, flags));
  if (device == "cpu") {
    REQUIRE(support::run_program(arguments).exit_code == 0);
  } else {
    support::run_well(arguments);
  }
  std::vector<record::ItemRecord> items;
  for (int i = 0; i < n_settings; ++i) {
    const record::LoggedRun run =
        record::read_run(logs.path() / "GoEmotions" / ("e2e_" + std::to_string(i)));
    items.insert(items.end(), run.items.begin(), run.items.end());
  }
  return items;
}

}  // namespace

TEST_CASE("On a GPU a run has the CPU's numbers in every number type, the same in another schedule",
          "[device]") {
  const Mode mode = kModes[GENERATE(0, 1, 2)];
  CAPTURE(mode.dtype);
  constexpr int kSettings = 2;
  const std::vector<std::string> few = {"--model-dtype",   mode.dtype, "--quant", "none",
                                        mode.quantization, "--limit",  "4"};
  const auto on_cpu = items_of("cpu", few, kSettings);
  const auto on_gpu = items_of("cuda", few, kSettings);
  CHECK(items_of("cuda", joined(few, {"--batch-size", "3", "--no-share-prefixes", "--no-drafts"}),
                 kSettings) == on_gpu);
  REQUIRE(on_gpu.size() == on_cpu.size());
  std::size_t n_compared = 0;
  for (std::size_t i = 0; i < on_cpu.size(); ++i) {
    REQUIRE_FALSE(on_cpu[i].label_steps.empty());
    // A rounding more or less may change what the model says; then only the first step compares.
    const bool says_the_same = on_gpu[i].outs == on_cpu[i].outs;
    const std::size_t n_steps = says_the_same ? on_cpu[i].label_steps.size() : 1;
    REQUIRE(on_gpu[i].label_steps.size() >= n_steps);
    for (std::size_t t = 0; t < n_steps; ++t) {
      const auto& expected = on_cpu[i].label_steps[t].logits;
      const auto& found = on_gpu[i].label_steps[t].logits;
      REQUIRE(found.size() == expected.size());
      for (std::size_t l = 0; l < expected.size(); ++l) {
        CAPTURE(i, t, expected[l].first, found[l].second, expected[l].second);
        CHECK(std::abs(found[l].second - expected[l].second) <= mode.tolerance);
        ++n_compared;
      }
    }
  }
  CHECK(n_compared >= kSettings * 40);
}

// The other schedules: in one number type, since they all go through the same code.
TEST_CASE("Steps that the host plans, records or leaves to guesses give the same bytes",
          "[device]") {
  const std::string whole = log_of({"--limit", "6"});
  CHECK(log_of({"--limit", "6", "--batch-size", "1"}) == whole);
  CHECK(log_of({"--limit", "6", "--no-drafts"}) == whole);
  CHECK(log_of({"--limit", "6"}, {{"LABELPROBE_CUDA_GRAPHS", "0"}}) == whole);
  // That the stand-in would show it if bits depended on the company of a row:
  CHECK(log_of({"--limit", "6", "--fast"}) !=
        log_of({"--limit", "6", "--fast", "--batch-size", "1"}));
}

TEST_CASE("Weights in 8 bits run on a GPU as on the CPU", "[device]") {
  const std::vector<std::string> few = {"--quant", "int8", "--limit", "3"};
  const auto on_cpu = items_of("cpu", few);
  const auto on_gpu = items_of("cuda", few);
  REQUIRE(on_gpu.size() == on_cpu.size());
  for (std::size_t i = 0; i < on_cpu.size(); ++i) {
    const auto& expected = on_cpu[i].label_steps.at(0).logits;
    const auto& found = on_gpu[i].label_steps.at(0).logits;
    for (std::size_t l = 0; l < expected.size(); ++l) {
      CAPTURE(i, l);
      // An activation that is rounded to the next of 127 codes moves all logits a little.
      CHECK(std::abs(found[l].second - expected[l].second) <= 0.2);
    }
  }
}

}  // namespace labelprobe
