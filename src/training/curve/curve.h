// How a training went: numbers by step, as a table and as a figure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace labelprobe::training {

struct CurveRow {
  std::int64_t step = 0;        // from 1 on
  std::vector<double> numbers;  // one per column; NaN where nothing was measured
};

struct Curve {
  std::string title;
  std::string subtitle;
  std::vector<std::string> columns;
  std::vector<CurveRow> rows;  // by step
};

// CSV with a header: step and the columns, shortest round-trip numbers, nothing for NaN.
void write_curve_csv(std::ostream& out, const Curve& curve);

// Reads what write_curve_csv() has written: columns and rows. Throws DataError.
Curve read_curve_csv(const std::filesystem::path& path);

// FOLDER/curve.csv, and FOLDER/curve.svg with the columns of these names, which share an axis. Each
// is there whole, or as it was before. Throws ConfigError if it cannot be written.
void write_curve(const std::filesystem::path& folder,
                 const Curve& curve,
                 const std::vector<std::string>& drawn,
                 const std::string& y_title);

}  // namespace labelprobe::training
