#include "labelprobe/python/numpy_random.h"

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::python {

TEST_CASE("Draws what numpy's legacy generator draws", "[random]") {
  const nlohmann::json streams =
      support::read_json(support::fixture("python/numpy_random.json")).at("streams");
  REQUIRE(streams.size() >= 4);
  for (const nlohmann::json& stream : streams) {
    const auto seed = stream.at("seed").get<std::uint32_t>();
    CAPTURE(seed);
    for (const auto& expected : stream.at("permutations").get<std::vector<std::vector<int>>>()) {
      CHECK(NumpyRandom(seed).permutation(static_cast<int>(expected.size())) == expected);
    }
    NumpyRandom random(seed);
    for (const auto& drawn : stream.at("randint").get<std::vector<std::array<std::int64_t, 3>>>()) {
      CHECK(random.randint(drawn[0], drawn[1]) == drawn[2]);
    }
  }
}

TEST_CASE("A draw from nothing is a bug of the caller", "[random]") {
  CHECK_THROWS_AS(NumpyRandom(0).randint(3, 3), InternalError);
  CHECK_THROWS_AS(NumpyRandom(0).permutation(-1), InternalError);
}

}  // namespace labelprobe::python
