#include "labelprobe/python/random.h"

#include <fstream>
#include <numeric>

#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::python {
namespace {

std::vector<int> range(int n) {
  std::vector<int> numbers(static_cast<std::size_t>(n));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

nlohmann::json streams() {
  std::ifstream file(support::fixture("python/random.json"));
  return nlohmann::json::parse(file).at("streams");
}

void expect_stream(const nlohmann::json& stream) {
  Random random(stream.at("seed").get<std::int64_t>());
  for (const auto& [n_bits, drawn] :
       stream.at("getrandbits").get<std::vector<std::pair<int, std::uint32_t>>>()) {
    CHECK(random.getrandbits(n_bits) == drawn);
  }
  for (const double drawn : stream.at("random").get<std::vector<double>>()) {
    CHECK(random.random() == drawn);
  }
  for (const auto& [n, drawn] :
       stream.at("randbelow").get<std::vector<std::pair<std::uint32_t, std::uint32_t>>>()) {
    CHECK(random.randbelow(n) == drawn);
  }
  for (const auto& drawn : stream.at("randint").get<std::vector<std::array<std::int64_t, 3>>>()) {
    CHECK(random.randint(drawn[0], drawn[1]) == drawn[2]);
  }
  for (const auto& [n, drawn] : stream.at("choice").get<std::vector<std::pair<int, int>>>()) {
    const std::vector<int> items = range(n);
    CHECK(random.choice(std::span<const int>(items)) == drawn);
  }
  for (const auto& shuffled : stream.at("shuffle").get<std::vector<std::vector<int>>>()) {
    std::vector<int> items = range(static_cast<int>(shuffled.size()));
    random.shuffle(items);
    CHECK(items == shuffled);
  }
  for (const nlohmann::json& expected : stream.at("sample")) {
    const std::vector<int> drawn = random.sample(range(expected[0]), expected[1]);
    CAPTURE(expected[0], expected[1]);
    std::int64_t weighted_sum = 0;
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      weighted_sum += static_cast<std::int64_t>(i + 1) * drawn[i];
    }
    CHECK(weighted_sum == expected[3].get<std::int64_t>());
    if (!expected[2].is_null()) {
      CHECK(drawn == expected[2].get<std::vector<int>>());
    }
  }
  for (int i = 0; i < 699; ++i) {
    random.getrandbits(32);
  }
  CHECK(random.getrandbits(32) == stream.at("after_700_outputs").get<std::uint32_t>());
}

TEST_CASE("Draws what CPython draws, for every seed and kind of draw", "[random]") {
  const nlohmann::json all = streams();
  REQUIRE(all.size() == 12);
  for (const nlohmann::json& stream : all) {
    CAPTURE(stream.at("seed"));
    expect_stream(stream);
  }
}

TEST_CASE("Draws the published check values of the generator", "[random]") {
  Random random(0);
  CHECK(random.getrandbits(32) == 3626764237u);
  CHECK(random.getrandbits(32) == 1654615998u);
  CHECK(random.getrandbits(32) == 3255389356u);
  CHECK(random.getrandbits(32) == 3823568514u);
  CHECK(Random((std::int64_t{1} << 40) + 7).getrandbits(32) == 2635837658u);
  CHECK(Random(1).getrandbits(32) == 577090037u);
  CHECK(Random(-1).getrandbits(32) == 577090037u);
  random.seed(0);
  std::vector<int> items = range(10);
  random.shuffle(items);
  CHECK(items == std::vector<int>{7, 8, 1, 5, 3, 4, 2, 0, 9, 6});
  random.seed(0);
  CHECK(random.sample(range(5000), 5) == std::vector<int>{3155, 3445, 331, 2121, 4188});
}

TEST_CASE("A draw that cannot be made is a bug of the caller", "[random]") {
  Random random(0);
  const std::vector<int> nothing;
  CHECK_THROWS_AS(random.sample(range(3), 4), InternalError);
  CHECK_THROWS_AS(random.sample(range(3), -1), InternalError);
  CHECK_THROWS_AS(random.randbelow(0), InternalError);
  CHECK_THROWS_AS(random.getrandbits(33), InternalError);
  CHECK_THROWS_AS(random.randint(1, 0), InternalError);
  CHECK_THROWS_AS(random.choice(std::span<const int>(nothing)), InternalError);
}

}  // namespace
}  // namespace labelprobe::python
