#include "labelprobe/analysis/plot.h"

#include <cmath>
#include <ostream>
#include <set>

#include <fmt/format.h>

#include "analysis/report/svg.h"

namespace labelprobe::analysis {

namespace {

// In pixels. The plane of the points is a square; the legend stands to its right.
constexpr double kLeft = 78.0;
constexpr double kTop = 64.0;
constexpr double kSide = 560.0;
constexpr double kBottom = kTop + kSide;
constexpr double kHeight = kBottom + 72.0;
constexpr double kLegend = kLeft + kSide + 22.0;
constexpr double kLine = 20.0;
constexpr double kRadius = 3.2;
constexpr std::size_t kMostNamed = 26;  // series that the legend has room for

// A shape around the origin; series beyond the colors take the next one.
std::string shape_of(std::size_t series) {
  switch (series / kColors.size() % 3) {
    case 1:
      return "<rect x=\"-2.8\" y=\"-2.8\" width=\"5.6\" height=\"5.6\"/>";
    case 2:
      return "<path d=\"M0 -3.8L3.6 2.6L-3.6 2.6Z\"/>";
    default:
      return "<circle r=\"" + pixel(kRadius) + "\"/>";
  }
}

void write_axes(std::ostream& out, const ScatterPlot& plot) {
  for (int tenth = 0; tenth <= 10; tenth += 2) {
    const double at = kSide * tenth / 10.0;
    const std::string number = tenth == 0 ? "0" : tenth == 10 ? "1" : fmt::format("0.{}", tenth);
    write_line(out, kLeft + at, kTop, kLeft + at, kBottom, "stroke=\"#e4e4e4\"");
    write_line(out, kLeft, kBottom - at, kLeft + kSide, kBottom - at, "stroke=\"#e4e4e4\"");
    write_text(out, kLeft + at, kBottom + 20, number, " text-anchor=\"middle\"");
    write_text(out, kLeft - 9, kBottom - at + 5, number, " text-anchor=\"end\"");
  }
  write_line(out, kLeft, kBottom, kLeft + kSide, kTop, "stroke=\"#777\" stroke-dasharray=\"6 4\"");
  out << "<rect x=\"" << pixel(kLeft) << "\" y=\"" << pixel(kTop) << "\" width=\"" << pixel(kSide)
      << "\" height=\"" << pixel(kSide) << "\" fill=\"none\" stroke=\"#333\"/>\n";
  constexpr std::size_t kMost = 74;
  write_text(out, kLeft + kSide / 2, kBottom + 48, shortened(plot.x_title, kMost),
             " text-anchor=\"middle\"");
  out << "<g transform=\"translate(26 " << pixel(kTop + kSide / 2) << ") rotate(-90)\">";
  write_text(out, 0, 0, shortened(plot.y_title, kMost), " text-anchor=\"middle\"");
  out << "</g>\n";
}

void write_legend(std::ostream& out, const ScatterPlot& plot) {
  double y = kTop + 12;
  for (std::size_t i = 0; i < plot.series.size(); ++i, y += kLine) {
    if (i == kMostNamed) {
      write_text(out, kLegend, y, fmt::format("and {} more", plot.series.size() - i));
      y += kLine;
      break;
    }
    out << "<g transform=\"translate(" << pixel(kLegend + 5) << ' ' << pixel(y - 5) << ")\" fill=\""
        << kColors[i % kColors.size()] << "\">" << shape_of(i) << "</g>\n";
    write_text(out, kLegend + 18, y, shortened(plot.series[i].name, 22));
  }
  write_line(out, kLegend - 3, y - 5, kLegend + 13, y - 5,
             "stroke=\"#777\" stroke-dasharray=\"6 4\"");
  write_text(out, kLegend + 18, y, "equal");
}

void write_series(std::ostream& out, const ScatterSeries& series, std::size_t number) {
  out << "<g fill=\"" << kColors[number % kColors.size()] << "\" fill-opacity=\"0.55\">\n";
  std::set<std::pair<std::string, std::string>> drawn;
  for (const auto& [x, y] : series.points) {
    if (!std::isfinite(x) || !std::isfinite(y)) continue;
    auto place = std::pair(pixel(kLeft + kSide * x), pixel(kBottom - kSide * y));
    const auto [position, is_new] = drawn.insert(std::move(place));
    if (is_new) {
      out << "<g transform=\"translate(" << position->first << ' ' << position->second << ")\">"
          << shape_of(number) << "</g>\n";
    }
  }
  out << "</g>\n";
}

}  // namespace

void write_svg(std::ostream& out, const ScatterPlot& plot) {
  constexpr double kWidth = kLegend + 180.0;
  begin_svg(out, kWidth, kHeight, kLeft, plot.title, plot.subtitle);
  write_axes(out, plot);
  for (std::size_t i = 0; i < plot.series.size(); ++i) write_series(out, plot.series[i], i);
  write_legend(out, plot);
  out << "</svg>\n";
}

}  // namespace labelprobe::analysis
