#include "labelprobe/analysis/plot.h"

#include <limits>
#include <sstream>

#include "support/catch.h"

namespace labelprobe::analysis {
namespace {

std::string svg_of(const ScatterPlot& plot) {
  std::ostringstream out;
  write_svg(out, plot);
  return out.str();
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++n;
  }
  return n;
}

TEST_CASE("Points stand where the axes say", "[analysis]") {
  const std::string svg = svg_of({.title = "",
                                  .subtitle = "",
                                  .x_title = "",
                                  .y_title = "",
                                  .series = {{"joy", {{0.0, 0.0}, {1.0, 0.0}, {0.5, 1.0}}}}});
  // The square is from 78 to 638 and from 64 to 624; its origin is at the bottom left.
  CHECK_THAT(svg, ContainsSubstring("<g transform=\"translate(78.0 624.0)\">"));
  CHECK_THAT(svg, ContainsSubstring("<g transform=\"translate(638.0 624.0)\">"));
  CHECK_THAT(svg, ContainsSubstring("<g transform=\"translate(358.0 64.0)\">"));
}

TEST_CASE("Equal points are drawn once, others that are no numbers never", "[analysis]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto points = [](const std::vector<std::pair<double, double>>& given) {
    return count(svg_of({.title = "",
                         .subtitle = "",
                         .x_title = "",
                         .y_title = "",
                         .series = {{"joy", given}}}),
                 "<circle");
  };
  const std::size_t n_legend = points({});
  CHECK(points({{0.25, 0.5}, {0.250001, 0.5}, {0.75, 0.5}}) == n_legend + 2);
  CHECK(points({{nan, 0.5}, {0.5, 1.0 / 0.0}}) == n_legend);
}

TEST_CASE("Names are texts, whatever they hold", "[analysis]") {
  const std::string svg = svg_of({.title = "a < b & \"c\"",
                                  .subtitle = "\x01",
                                  .x_title = "",
                                  .y_title = "",
                                  .series = {{"</svg>", {}}}});
  CHECK_THAT(svg, ContainsSubstring("a &lt; b &amp; &quot;c&quot;</text>"));
  CHECK_THAT(svg, ContainsSubstring("&lt;/svg&gt;"));
  CHECK(count(svg, "</svg>") == 1);
  CHECK(svg.find('\x01') == std::string::npos);
}

TEST_CASE("A legend of many series ends", "[analysis]") {
  ScatterPlot plot;
  for (int i = 0; i < 60; ++i) {
    plot.series.push_back({"label" + std::to_string(i), {{0.5, 0.5}}});
  }
  const std::string svg = svg_of(plot);
  CHECK_THAT(svg, ContainsSubstring(">label25</text>"));
  CHECK_THAT(svg, !ContainsSubstring(">label26</text>"));
  CHECK_THAT(svg, ContainsSubstring(">and 34 more</text>"));
}

}  // namespace
}  // namespace labelprobe::analysis
