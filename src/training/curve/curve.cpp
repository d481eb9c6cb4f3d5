#include "training/curve/curve.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/analysis/plot.h"
#include "labelprobe/core/error.h"
#include "labelprobe/files/csv.h"
#include "labelprobe/files/output_file.h"

namespace labelprobe::training {
namespace {

double read_number(const std::string& field, const std::string& place) {
  if (field.empty()) return std::numeric_limits<double>::quiet_NaN();
  double number = 0.0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), number);
  if (error != std::errc() || end != field.data() + field.size()) {
    throw DataError(fmt::format("{}: expected a number, found '{}'", place, field));
  }
  return number;
}

}  // namespace

void write_curve_csv(std::ostream& out, const Curve& curve) {
  out << "step";
  for (const std::string& column : curve.columns) out << ',' << files::csv_field(column);
  out << '\n';
  for (const CurveRow& row : curve.rows) {
    out << row.step;
    for (const double number : row.numbers) {
      out << ',' << (std::isnan(number) ? std::string() : fmt::format("{}", number));
    }
    out << '\n';
  }
}

Curve read_curve_csv(const std::filesystem::path& path) {
  Curve curve;
  bool is_header = true;
  const files::MappedFile file(path);
  files::for_each_row(file, ',', files::SwallowedRows::Allow, [&](files::TableRow& row) {
    if (std::exchange(is_header, false)) {
      curve.columns.assign(row.fields.begin() + 1, row.fields.end());
      return;
    }
    files::check_n_fields(row, curve.columns.size() + 1, "comma-separated");
    CurveRow read{static_cast<std::int64_t>(read_number(row.fields[0], row.place)), {}};
    for (std::size_t i = 1; i < row.fields.size(); ++i) {
      read.numbers.push_back(read_number(row.fields[i], row.place));
    }
    curve.rows.push_back(std::move(read));
  });
  return curve;
}

void write_curve(const std::filesystem::path& folder,
                 const Curve& curve,
                 const std::vector<std::string>& drawn,
                 const std::string& y_title) {
  files::OutputFile table(folder / "curve.csv");
  write_curve_csv(table.stream(), curve);
  table.finish();
  analysis::LinePlot plot{curve.title, curve.subtitle, "step", y_title, {}};
  for (const std::string& name : drawn) {
    const auto found = std::find(curve.columns.begin(), curve.columns.end(), name);
    LABELPROBE_CHECK(found != curve.columns.end());
    analysis::LineSeries series{name, {}};
    for (const CurveRow& row : curve.rows) {
      const double number = row.numbers[static_cast<std::size_t>(found - curve.columns.begin())];
      if (!std::isnan(number)) series.points.emplace_back(static_cast<double>(row.step), number);
    }
    plot.series.push_back(std::move(series));
  }
  files::OutputFile figure(folder / "curve.svg");
  analysis::write_svg(figure.stream(), plot);
  figure.finish();
}

}  // namespace labelprobe::training
