#include "labelprobe/core/enum_names.h"

#include "support/catch.h"

namespace labelprobe {
namespace {

enum class Side { Left, Right, Unnamed };

constexpr auto kSides =
    enum_names<Side>("side", {{Side::Left, "left"}, {Side::Right, "right", "starboard"}});

}  // namespace

TEST_CASE("Reads and writes the names of an enumeration", "[unit]") {
  CHECK(kSides.parse("left") == Side::Left);
  CHECK(kSides.parse("starboard") == Side::Right);
  CHECK(kSides.name_of(Side::Right) == "right");
  CHECK(kSides.names() == std::vector<std::string>{"left", "right"});
  CHECK_FALSE(kSides.find(""));
}

TEST_CASE("An unknown name is answered with the known ones", "[unit]") {
  CHECK_THROWS_AS(kSides.parse("rigth"), ConfigError);
  CHECK_THROWS_WITH(kSides.parse("rigth"),
                    "unknown side 'rigth'; did you mean 'right'? (known: left, right)");
  CHECK_THROWS_AS(kSides.name_of(Side::Unnamed), InternalError);
}

}  // namespace labelprobe
