// Numbers of the GPU path: those of the CPU, in every number type, and the same bits whatever the
// schedule.
#include <cmath>
#include <set>

#include "labelprobe/record/logged_run.h"

#include "device/device_run.h"
#include "support/tolerance.h"

namespace labelprobe {
namespace {

using support::log_of;
using support::TempFolder;

struct Mode {
  std::vector<std::string> flags;
  double tolerance;  // of logits, against the CPU's: it rounds at other places
};

const std::vector<Mode>& modes() {
  static const std::vector<Mode> all = {
      {{"--model-dtype", "float32"}, 1e-4},
      {{"--model-dtype", "bfloat16"}, 0.15},
      {{"--model-dtype", "float16"}, 0.02},
      {{"--quant", "fp4"}, 1e-4},
      {{"--quant", "nf4", "--model-dtype", "bfloat16"}, 0.15},
      {{"--quant", "nf4-double", "--model-dtype", "float16"}, 0.02},
  };
  return all;
}

std::vector<std::string> joined(std::vector<std::string> flags,
                                const std::vector<std::string>& more) {
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

std::vector<record::ItemRecord> items_of(const std::vector<std::string>& flags) {
  const TempFolder logs;
  support::run_well(support::run_arguments(logs.path(), flags));
  return record::read_run(logs.path() / "GoEmotions" / "e2e_0").items;
}

}  // namespace

TEST_CASE("On a GPU a run has the CPU's numbers in every number type, the same in another schedule",
          "[device]") {
  const Mode& mode = modes()[GENERATE(0U, 1U, 2U, 3U, 4U, 5U)];
  CAPTURE(mode.flags);
  const std::vector<std::string> few = joined(mode.flags, {"--limit", "4"});
  const auto on_cpu = items_of(joined(few, {"--device", "cpu"}));
  const auto on_gpu = items_of(joined(few, {"--device", "cuda"}));
  CHECK(items_of(joined(few, {"--device", "cuda", "--batch-size", "3", "--no-share-prefixes",
                              "--no-drafts"})) == on_gpu);
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
  CHECK(n_compared >= 40);
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
  const auto on_cpu = items_of(joined(few, {"--device", "cpu"}));
  const auto on_gpu = items_of(joined(few, {"--device", "cuda"}));
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
