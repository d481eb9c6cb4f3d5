#include "labelprobe/files/table.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/compressed.h"
#include "labelprobe/files/text_file.h"

#include "files/csv_rows.h"
#include "files/table_readers.h"

namespace labelprobe::files {

namespace {

constexpr auto kFormats = enum_names<TableFormat>("table format",
                                                  {{TableFormat::Csv, "csv"},
                                                   {TableFormat::Tsv, "tsv", "tab"},
                                                   {TableFormat::JsonLines, "jsonl", "ndjson"},
                                                   {TableFormat::Json, "json"},
                                                   {TableFormat::Parquet, "parquet"},
                                                   {TableFormat::Xlsx, "xlsx"},
                                                   {TableFormat::Lines, "lines"}});

// Whether files of the format are text, which others compress; Parquet and workbooks do it inside.
bool is_of_text(TableFormat format) {
  return format != TableFormat::Parquet && format != TableFormat::Xlsx;
}

// The text with something else in place of each byte that is no UTF-8.
std::string mended(std::string_view rest, std::string_view instead) {
  std::string text;
  while (!rest.empty()) {
    const std::size_t n_good = first_non_utf8(rest);
    text.append(rest.substr(0, n_good));
    rest.remove_prefix(n_good);
    if (rest.empty()) break;
    text += instead;
    rest.remove_prefix(1);
  }
  return text;
}

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
  const std::string ending = ascii_lower(without_compression(path).extension().string());
  if (ending.empty()) return std::nullopt;
  const auto format = kFormats.find(std::string_view(ending).substr(1));
  const bool fits = compression_of(path) == Compression::None || (format && is_of_text(*format));
  return fits ? format : std::nullopt;
}

TableFormat table_format_of(const std::filesystem::path& path) {
  if (const auto format = find_table_format(path)) return *format;
  const auto inner = find_table_format(without_compression(path));
  if (inner) {
    throw ConfigError(fmt::format(
        "{}: expected {} as it is, for it is compressed in itself, found a compressed file; unpack "
        "it",
        path.string(), kFormats.name_of(*inner)));
  }
  throw ConfigError(
      fmt::format("{}: expected a table, whose name ends in .{}, or in .gz or .zst behind that, "
                  "found '{}'; rename it, or say its format",
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

namespace {

void read_text(TableFormat format,
               std::string_view text,
               const TableOptions& options,
               Table& table) {
  switch (format) {
    case TableFormat::Csv:
    case TableFormat::Tsv:
      return read_delimited(text, delimiter_of(format, options), options.swallowed, table);
    case TableFormat::JsonLines:
      return read_json_lines(without_mark(text), table);
    case TableFormat::Json:
      return read_json_table(without_mark(text), table);
    case TableFormat::Lines:
      return read_text_lines(text, table);
    case TableFormat::Parquet:
    case TableFormat::Xlsx:
      break;
  }
  throw InternalError("a table of bytes is not read as text");
}

}  // namespace

Table read_table(const std::filesystem::path& path, const TableOptions& options) {
  const TableFormat format = options.format ? *options.format : table_format_of(path);
  Table table;
  table.name = path.string();
  if (format == TableFormat::Parquet) {
    read_parquet(open_file(path, "a table").text(), options.rows, table);
  } else if (format == TableFormat::Xlsx) {
    open_file(path, "a table");  // a message of its own where there is none
    read_workbook(path, options.sheet, table);
  } else {
    const UnpackedFile file(path, "a table");
    const bool is_mended = options.bad_bytes && !is_utf8(file.text());
    read_text(format, is_mended ? mended(file.text(), *options.bad_bytes) : file.text(), options,
              table);
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
