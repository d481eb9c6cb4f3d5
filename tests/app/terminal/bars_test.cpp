#include "app/terminal/bars.h"

#include <cmath>

#include "support/catch.h"

namespace labelprobe::app {

TEST_CASE("A bar is as long as its share, to an eighth of a column", "[unit]") {
  CHECK(bar_of(1.0, 4) == "████");
  CHECK(bar_of(0.5, 4) == "██");
  CHECK(bar_of(0.53125, 4) == "██▏");
  CHECK(bar_of(0.03, 4) == "▏");
  CHECK(bar_of(0.01, 4).empty());
  CHECK(bar_of(-1.0, 4).empty());
  CHECK(bar_of(NAN, 4).empty());
  CHECK(bar_of(7.0, 2) == "██");
}

}  // namespace labelprobe::app
