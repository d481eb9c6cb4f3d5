// CSV and TSV as tables.
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"

#include "files/csv_rows.h"
#include "files/table_readers.h"

namespace labelprobe::files {

namespace {

std::string_view kind_of(char delimiter) {
  return delimiter == ',' ? "comma-separated" : delimiter == '\t' ? "tab-separated" : "separated";
}

void check_fields(const TableRow& row) {
  for (const std::string& field : row.fields) {
    if (is_utf8(field)) continue;
    throw DataError(row.place + ": expected text in UTF-8, found other bytes; convert the file");
  }
}

}  // namespace

std::string open_end_note(const std::string& place) {
  return place + ": the last row has no line break behind it; look whether the file is whole";
}

void read_delimited(std::string_view text, char delimiter, SwallowedRows swallowed, Table& table) {
  const auto take = [&](TableRow& row) {
    check_fields(row);
    if (table.columns.empty()) {
      table.columns = std::move(row.fields);
      return;
    }
    check_n_fields(row, table.columns.size(), kind_of(delimiter));
    std::vector<nlohmann::json> cells;
    cells.reserve(row.fields.size());
    for (std::string& field : row.fields) cells.emplace_back(std::move(field));
    table.rows.push_back(std::move(cells));
    table.places.push_back(std::move(row.place));
  };
  for_each_row_of_text(text, table.name, delimiter, swallowed, take, [&](const std::string& place) {
    table.notes.push_back(open_end_note(place));
  });
  if (table.columns.empty()) {
    throw DataError(table.name + ":1: expected a header, found an empty file");
  }
}

}  // namespace labelprobe::files
