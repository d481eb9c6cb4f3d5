#include <limits>
#include <sstream>

#include "labelprobe/analysis/plot.h"

#include "support/catch.h"

namespace labelprobe::analysis {
namespace {

std::string svg_of_lines(const LinePlot& plot) {
  std::ostringstream out;
  write_svg(out, plot);
  return out.str();
}

}  // namespace

TEST_CASE("Lines are drawn between round numbers", "[unit]") {
  const std::string svg =
      svg_of_lines({"Loss",
                    "SFT <1>",
                    "step",
                    "nats",
                    {{"train", {{0, 3.9}, {37, 2.1}, {100, 1.2}}}, {"dev", {{50, 2.0}}}}});
  CHECK_THAT(svg, ContainsSubstring("SFT &lt;1&gt;"));
  CHECK_THAT(svg, ContainsSubstring(">4</text>"));  // above 3.9
  CHECK_THAT(svg, ContainsSubstring(">1</text>"));  // below 1.2
  // The first step is at the left edge of the plane, the last at its right edge.
  CHECK_THAT(svg, ContainsSubstring("points=\"78.0,"));
  CHECK_THAT(svg, ContainsSubstring(" 718.0,"));
  CHECK_THAT(svg, ContainsSubstring("<circle"));
}

TEST_CASE("A line without points, and points that are no numbers, leave the plane empty",
          "[unit]") {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const std::string svg =
      svg_of_lines({"Loss", "", "step", "nats", {{"train", {{0, none}}}, {"dev", {}}}});
  CHECK_THAT(svg, !ContainsSubstring("polyline"));
  CHECK_THAT(svg, !ContainsSubstring("nan"));
  CHECK_THAT(svg, ContainsSubstring("</svg>"));
}

}  // namespace labelprobe::analysis
