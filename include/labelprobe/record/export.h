// The items of runs as tables, for notebooks and other programs. Goals: rows leave as they are
// made; every text and number of an item has a place in a table, and a new field gets it by itself
// (record/fields.h). Non-goals: statistics, reading tables back, and what is no number of a label:
// the likeliest tokens, and the settings and label sets of readouts, stay in the log.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "labelprobe/record/logged_run.h"

namespace labelprobe::record {

enum class ColumnType { Text, Integer, Number, Flag, Texts, Integers };

struct Column {
  std::string name;
  ColumnType type = ColumnType::Text;
};

// A value of its column's type; std::monostate = there is none.
using Cell = std::variant<std::monostate,
                          std::string,
                          std::int64_t,
                          float,
                          bool,
                          std::vector<std::string>,
                          std::vector<std::int64_t>>;
using Row = std::vector<Cell>;  // [n_columns]

struct ExportTable {
  std::string_view name;
  std::string_view summary;
  std::vector<Column> columns;
  void (*for_each_row)(const LoggedRun& run, const std::function<void(const Row&)>& take);
};

// "items", "steps", "values". The first columns of all of them say which item a row is about.
std::span<const ExportTable> export_tables();

class RowWriter {
 public:
  virtual ~RowWriter() = default;
  virtual void add(const Row& row) = 0;
  // Writes what is held back. The stream is the caller's to close.
  virtual void finish() {}
};

// CSV as pandas reads it: lists are joined by ", ", a value that is not there is an empty field, an
// empty text is "". Floats have the digits that read back equal.
std::unique_ptr<RowWriter> write_csv_rows(std::ostream& out, std::vector<Column> columns);

// JSON lines, one object a row; numbers that JSON has no spelling for are null.
std::unique_ptr<RowWriter> write_json_rows(std::ostream& out, std::vector<Column> columns);

// Columns by the batch, for programs that write columnar files: a line with names and types, then
// lines of one list per column, each of at most `n_rows` rows.
std::unique_ptr<RowWriter> write_batches(std::ostream& out,
                                         std::vector<Column> columns,
                                         std::size_t n_rows);

}  // namespace labelprobe::record
