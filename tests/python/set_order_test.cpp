#include "labelprobe/python/set_order.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <numeric>

#include <nlohmann/json.hpp>

#include "labelprobe/python/random.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::python {
namespace {

struct Drawn {
  std::vector<int> numbers;
  std::vector<int> removed;
};

// As the fixture's script draws them.
Drawn draw_case(const nlohmann::json& expected) {
  Random random(expected.at("seed").get<int>());
  const int limit = expected.at("limit");
  std::vector<int> range(static_cast<std::size_t>(limit));
  std::iota(range.begin(), range.end(), 0);
  Drawn drawn;
  drawn.numbers = random.sample(range, expected.at("n"));
  if (!expected.at("shuffled").get<bool>()) {
    std::sort(drawn.numbers.begin(), drawn.numbers.end());
  }
  drawn.removed = random.sample(drawn.numbers, expected.at("n_removed"));
  drawn.removed.insert(drawn.removed.end(), {limit, limit + 1});
  return drawn;
}

void expect_order(const PythonSet& set, const nlohmann::json& expected, const std::string& name) {
  CAPTURE(name);
  const std::vector<int> order = set.items();
  CHECK(set.size() == order.size());
  std::int64_t weighted_sum = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    weighted_sum += static_cast<std::int64_t>(i + 1) * order[i];
  }
  CHECK(weighted_sum == expected.at(name + "_sum").get<std::int64_t>());
  if (expected.contains(name)) {
    CHECK(order == expected.at(name).get<std::vector<int>>());
  }
}

TEST_CASE("Iterates over a set and its differences in CPython's order", "[python_set]") {
  std::ifstream file(support::fixture("prompt/sets.json"));
  const nlohmann::json cases = nlohmann::json::parse(file).at("cases");
  REQUIRE(cases.size() > 600);
  for (const nlohmann::json& expected : cases) {
    CAPTURE(expected.dump());
    const Drawn drawn = draw_case(expected);
    const PythonSet whole{drawn.numbers};
    expect_order(whole, expected, "whole");
    const PythonSet rest = whole.difference(drawn.removed);
    expect_order(rest, expected, "rest");
    const auto n_again = static_cast<std::size_t>(expected.at("n_removed").get<int>() / 2);
    expect_order(rest.difference(std::span(drawn.removed).first(n_again)), expected, "again");
  }
}

TEST_CASE("Keeps a number once and removes it once", "[python_set]") {
  const std::vector<int> twice = {9, 1, 9, 1, 17};
  CHECK(PythonSet(twice).size() == 3);
  const std::vector<int> removed = {1, 1, 5};
  CHECK(PythonSet(twice).difference(removed).size() == 2);
  CHECK(PythonSet().items().empty());
}

}  // namespace
}  // namespace labelprobe::python
