#include "training/curve/curve.h"

#include <cmath>
#include <limits>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::training {

TEST_CASE("A curve is written as a table, read again, and drawn", "[unit]") {
  const support::TempFolder folder;
  const double none = std::numeric_limits<double>::quiet_NaN();
  const Curve curve{
      "SmolLM2", "GoEmotions", {"loss", "validation loss"}, {{1, {3.5, none}}, {2, {2.25, 3.0}}}};
  write_curve(folder.path(), curve, {"loss", "validation loss"}, "nats per token");
  CHECK(support::read_file(folder.path() / "curve.csv") ==
        "step,loss,validation loss\n1,3.5,\n2,2.25,3\n");
  const Curve read = read_curve_csv(folder.path() / "curve.csv");
  CHECK(read.columns == curve.columns);
  REQUIRE(read.rows.size() == 2);
  CHECK(read.rows[1].step == 2);
  CHECK(read.rows[1].numbers == curve.rows[1].numbers);
  CHECK(std::isnan(read.rows[0].numbers[1]));
  const std::string svg = support::read_file(folder.path() / "curve.svg");
  CHECK_THAT(svg, ContainsSubstring("<polyline"));
  CHECK_THAT(svg, ContainsSubstring("<circle"));  // the only validation loss
  CHECK_THAT(svg, ContainsSubstring("nats per token"));
}

TEST_CASE("A table that is no curve is refused by its place", "[unit]") {
  const support::TempFolder folder;
  support::write_file(folder.path() / "curve.csv", "step,loss\n1,x\n");
  CHECK_THROWS_WITH(read_curve_csv(folder.path() / "curve.csv"),
                    ContainsSubstring("curve.csv:2: expected a number, found 'x'"));
}

}  // namespace labelprobe::training
