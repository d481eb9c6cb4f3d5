#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>

#include <fmt/format.h>

#include "labelprobe/analysis/plot.h"

#include "analysis/report/svg.h"

namespace labelprobe::analysis {

namespace {

// In pixels.
constexpr double kPlaneLeft = 78.0;
constexpr double kPlaneTop = 64.0;
constexpr double kPlaneWidth = 640.0;
constexpr double kPlaneHeight = 360.0;
constexpr double kPlaneBottom = kPlaneTop + kPlaneHeight;
constexpr double kPlaneLegend = kPlaneLeft + kPlaneWidth + 22.0;
constexpr double kPlaneLine = 20.0;

// One axis: what it spans, and how far its numbers lie apart.
struct Axis {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  double interval = 1.0;

  void take(double number) {
    low = std::min(low, number);
    high = std::max(high, number);
  }

  // At most six numbers, 1, 2 or 5 times a power of ten apart.
  void settle() {
    if (!(low <= high)) low = 0.0, high = 1.0;
    if (low == high) high = low + std::max(1.0, std::abs(low) / 10.0);
    const double least = (high - low) / 6.0;
    const double power = std::pow(10.0, std::floor(std::log10(least)));
    interval = power * (least <= power ? 1 : least <= 2 * power ? 2 : least <= 5 * power ? 5 : 10);
    low = interval * std::floor(low / interval);
    high = interval * std::ceil(high / interval);
  }

  double share(double number) const { return (number - low) / (high - low); }
  int n_intervals() const { return static_cast<int>(std::lround((high - low) / interval)); }
  double number(int i) const { return low + i * interval; }
};

std::string tick(double number) {
  return fmt::format("{:.6g}", number == 0.0 ? 0.0 : number);
}

double x_of(const Axis& axis, double number) {
  return kPlaneLeft + kPlaneWidth * axis.share(number);
}

double y_of(const Axis& axis, double number) {
  return kPlaneBottom - kPlaneHeight * axis.share(number);
}

bool is_finite(const std::pair<double, double>& point) {
  return std::isfinite(point.first) && std::isfinite(point.second);
}

void write_axes(std::ostream& out, const LinePlot& plot, const Axis& x, const Axis& y) {
  for (int i = 0; i <= x.n_intervals(); ++i) {
    const double at = x_of(x, x.number(i));
    write_line(out, at, kPlaneTop, at, kPlaneBottom, "stroke=\"#e4e4e4\"");
    write_text(out, at, kPlaneBottom + 20, tick(x.number(i)), " text-anchor=\"middle\"");
  }
  for (int i = 0; i <= y.n_intervals(); ++i) {
    const double at = y_of(y, y.number(i));
    write_line(out, kPlaneLeft, at, kPlaneLeft + kPlaneWidth, at, "stroke=\"#e4e4e4\"");
    write_text(out, kPlaneLeft - 9, at + 5, tick(y.number(i)), " text-anchor=\"end\"");
  }
  out << "<rect x=\"" << pixel(kPlaneLeft) << "\" y=\"" << pixel(kPlaneTop) << "\" width=\""
      << pixel(kPlaneWidth) << "\" height=\"" << pixel(kPlaneHeight)
      << "\" fill=\"none\" stroke=\"#333\"/>\n";
  write_text(out, kPlaneLeft + kPlaneWidth / 2, kPlaneBottom + 48, plot.x_title,
             " text-anchor=\"middle\"");
  out << "<g transform=\"translate(20 " << pixel(kPlaneTop + kPlaneHeight / 2)
      << ") rotate(-90)\">";
  write_text(out, 0, 0, plot.y_title, " text-anchor=\"middle\"");
  out << "</g>\n";
}

void write_series(
    std::ostream& out, const LineSeries& series, const Axis& x, const Axis& y, const char* color) {
  std::vector<std::pair<double, double>> points;
  std::copy_if(series.points.begin(), series.points.end(), std::back_inserter(points), is_finite);
  if (points.size() == 1) {
    out << "<circle cx=\"" << pixel(x_of(x, points[0].first)) << "\" cy=\""
        << pixel(y_of(y, points[0].second)) << "\" r=\"3\" fill=\"" << color << "\"/>\n";
  } else if (!points.empty()) {
    out << "<polyline fill=\"none\" stroke-width=\"1.6\" stroke=\"" << color << "\" points=\"";
    for (const auto& [a, b] : points) out << pixel(x_of(x, a)) << ',' << pixel(y_of(y, b)) << ' ';
    out << "\"/>\n";
  }
}

}  // namespace

void write_svg(std::ostream& out, const LinePlot& plot) {
  Axis x, y;
  for (const LineSeries& series : plot.series) {
    for (const auto& point : series.points) {
      if (!is_finite(point)) continue;
      x.take(point.first);
      y.take(point.second);
    }
  }
  x.settle();
  y.settle();
  begin_svg(out, kPlaneLegend + 180.0, kPlaneBottom + 72.0, kPlaneLeft, plot.title, plot.subtitle);
  write_axes(out, plot, x, y);
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    const char* color = kColors[i % kColors.size()];
    const double at = kPlaneTop + 12 + kPlaneLine * static_cast<double>(i);
    write_series(out, plot.series[i], x, y, color);
    write_line(out, kPlaneLegend - 3, at - 5, kPlaneLegend + 13, at - 5,
               fmt::format("stroke=\"{}\" stroke-width=\"2\"", color).c_str());
    write_text(out, kPlaneLegend + 18, at, shortened(plot.series[i].name, 22));
  }
  out << "</svg>\n";
}

}  // namespace labelprobe::analysis
