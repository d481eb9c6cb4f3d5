#include "labelprobe/python/repr.h"

#include <bit>
#include <cstdint>
#include <fstream>

#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::python {

TEST_CASE("Numbers are spelled as Python spells them", "[unit]") {
  std::ifstream file(support::fixture("record/float_reprs.json"));
  const auto reprs = nlohmann::json::parse(file);
  for (const nlohmann::json& pair : reprs["float64"]) {
    const std::uint64_t bits = std::stoull(pair[0].get<std::string>(), nullptr, 16);
    CHECK(repr(std::bit_cast<double>(bits)) == pair[1].get<std::string>());
  }
  for (const nlohmann::json& pair : reprs["float32"]) {
    const auto bits =
        static_cast<std::uint32_t>(std::stoul(pair[0].get<std::string>(), nullptr, 16));
    CHECK(repr(std::bit_cast<float>(bits)) == pair[1].get<std::string>());
  }
}

}  // namespace labelprobe::python
