#include "labelprobe/analysis/comparison_report.h"

#include "support/catch.h"

namespace labelprobe::analysis {
namespace {

TEST_CASE("Settings that differ are named, folders and what is unset are not", "[compare]") {
  const auto found = compare_settings(
      {{"dtype", "float32"}, {"shot", "4"}, {"log_root", "a"}, {"limit", "null"}, {"new", "1"}},
      {{"dtype", "fp4"}, {"shot", "4"}, {"log_root", "b"}, {"other", "false"}});
  REQUIRE(found.size() == 2);
  CHECK(found[0].name == "dtype");
  CHECK(found[0].value_a == "float32");
  CHECK(found[0].value_b == "fp4");
  CHECK(found[1].name == "new");
  CHECK(found[1].value_b.empty());
}

// Two items, of which the second differs by 0.25.
RunComparison small_comparison() {
  RunComparison comparison;
  for (const char* key : {"de0", "de1"}) {
    ComparedItem& item = comparison.items.emplace_back();
    item.key = key;
    item.steps.push_back({.place = "1", .labels = {"joy"}, .probs_a = {0.5}, .probs_b = {0.75}});
  }
  comparison.worst = {{.item = 1, .step = 0, .label = 0, .difference = 0.25}, {.item = 0}};
  return comparison;
}

TEST_CASE("A limit holds, or the items beyond it are counted and the worst is told", "[compare]") {
  RunComparison comparison = small_comparison();
  CHECK(describe_excesses(comparison, 0.25).empty());
  const auto beyond = describe_excesses(comparison, 0.2);
  REQUIRE(beyond.size() == 1);
  CHECK(beyond[0] ==
        "probabilities differ by more than 0.2 in 1 item; most: item 'de1', step 1, joy: "
        "0.500000000 against 0.750000000");
}

TEST_CASE("Items of one run only, and failures in one only, are beyond any limit", "[compare]") {
  RunComparison comparison = small_comparison();
  comparison.only_b = {"de7", "de8"};
  comparison.failed_a = {"de9"};
  comparison.failed_b = {"de9"};
  CHECK(describe_excesses(comparison, 1.0) ==
        std::vector<std::string>{"only in B: 2 items, the first 'de7'"});
  comparison.failed_b.clear();
  CHECK(describe_excesses(comparison, 1.0).back() == "failed in A: 1 item, the first 'de9'");
}

}  // namespace
}  // namespace labelprobe::analysis
