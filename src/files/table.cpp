#include "labelprobe/files/table.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/text_file.h"

#include "files/table_readers.h"

namespace labelprobe::files {

namespace {

constexpr auto kFormats = enum_names<TableFormat>("table format",
                                                  {{TableFormat::Csv, "csv"},
                                                   {TableFormat::Tsv, "tsv", "tab"},
                                                   {TableFormat::JsonLines, "jsonl", "ndjson"},
                                                   {TableFormat::Json, "json"},
                                                   {TableFormat::Parquet, "parquet"},
                                                   {TableFormat::Xlsx, "xlsx"}});

[[noreturn]] void fail_no_column(const Table& table, std::string_view name) {
  const std::string near = nearest_choice(name, table.columns);
  throw DataError(fmt::format("{}: expected a column '{}', found none{} (columns: {})", table.name,
                              name, near.empty() ? "" : fmt::format("; did you mean '{}'?", near),
                              fmt::join(table.columns, ", ")));
}

char delimiter_of(TableFormat format, const TableOptions& options) {
  if (options.delimiter != '\0') return options.delimiter;
  return format == TableFormat::Tsv ? '\t' : ',';
}

}  // namespace

std::vector<std::string> table_format_names() {
  return kFormats.names();
}

std::string_view name_of(TableFormat format) {
  return kFormats.name_of(format);
}

TableFormat parse_table_format(std::string_view name) {
  return kFormats.parse(name);
}

std::optional<TableFormat> find_table_format(const std::filesystem::path& path) {
  const std::string ending = ascii_lower(path.extension().string());
  return ending.empty() ? std::nullopt : kFormats.find(std::string_view(ending).substr(1));
}

TableFormat table_format_of(const std::filesystem::path& path) {
  if (const auto format = find_table_format(path)) return *format;
  throw ConfigError(
      fmt::format("{}: expected a table, whose name ends in .{}, found '{}'; rename it, or say "
                  "its format",
                  path.string(), fmt::join(kFormats.names(), ", ."), path.filename().string()));
}

std::optional<std::size_t> Table::find_column(std::string_view column_name) const {
  const auto found = std::find(columns.begin(), columns.end(), column_name);
  if (found == columns.end()) return std::nullopt;
  if (std::find(std::next(found), columns.end(), column_name) != columns.end()) {
    throw DataError(
        fmt::format("{}: expected one column '{}', found two of that name", name, column_name));
  }
  return static_cast<std::size_t>(found - columns.begin());
}

std::size_t Table::column(std::string_view column_name) const {
  if (const auto found = find_column(column_name)) return *found;
  fail_no_column(*this, column_name);
}

Table read_table(const std::filesystem::path& path, const TableOptions& options) {
  const TableFormat format = options.format ? *options.format : table_format_of(path);
  const MappedFile file = open_file(path, "a table");
  Table table;
  table.name = path.string();
  switch (format) {
    case TableFormat::Csv:
    case TableFormat::Tsv:
      read_delimited(file, delimiter_of(format, options), options.swallowed, table);
      break;
    case TableFormat::JsonLines:
      read_json_lines(text_of(file), table);
      break;
    case TableFormat::Json:
      read_json_table(text_of(file), table);
      break;
    case TableFormat::Parquet:
      read_parquet(file.text(), options.rows, table);
      break;
    case TableFormat::Xlsx:
      read_workbook(path, options.sheet, table);
      break;
  }
  if (options.rows == TableRows::None) {
    table.rows.clear();
    table.places.clear();
  }
  if (table.columns.empty()) {
    throw DataError(fmt::format("{}: expected a table, found no columns", table.name));
  }
  return table;
}

}  // namespace labelprobe::files
