// Scatter plots of probabilities and lines over steps as SVG files, which browsers, word processors
// and LaTeX (through a converter) take. Knows nothing about runs.
#pragma once

#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

namespace labelprobe::analysis {

struct ScatterSeries {
  std::string name;  // for the legend
  std::vector<std::pair<double, double>> points;
};

struct ScatterPlot {
  std::string title;
  std::string subtitle;
  std::string x_title;
  std::string y_title;
  std::vector<ScatterSeries> series;
};

// Both axes from 0 to 1, with the diagonal of equal values. Series are told apart by color and,
// from the ninth on, by shape. Points of a series that fall onto the same tenth of a pixel are
// drawn once; those that are not finite are left out.
void write_svg(std::ostream& out, const ScatterPlot& plot);

struct LineSeries {
  std::string name;                               // for the legend
  std::vector<std::pair<double, double>> points;  // in the order in which they are joined
};

struct LinePlot {
  std::string title;
  std::string subtitle;
  std::string x_title;
  std::string y_title;
  std::vector<LineSeries> series;
};

// Both axes span what is drawn, with round numbers. A series of one point is a dot; points that are
// not finite are left out. Without a point the plane stays empty.
void write_svg(std::ostream& out, const LinePlot& plot);

}  // namespace labelprobe::analysis
