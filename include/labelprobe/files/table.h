// Tables of any format that is read, whole and as rows of values: CSV, TSV, JSON lines, JSON,
// Parquet, workbooks, lines of text. Knows nothing about what columns mean. Non-goal: streams; a
// table has to fit into memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "labelprobe/files/csv.h"

namespace labelprobe::files {

enum class TableFormat { Csv, Tsv, JsonLines, Json, Parquet, Xlsx, Lines };

// "csv", "tsv", "jsonl", "json", "parquet", "xlsx", "lines".
std::vector<std::string> table_format_names();
std::string_view name_of(TableFormat format);
TableFormat parse_table_format(std::string_view name);  // ConfigError listing the names

// What the end of the name says, in any case of letters: .csv, .tsv, .tab, .jsonl, .ndjson, .json,
// .parquet, .xlsx; unset where it says nothing. A .gz or .zst behind that of a format of text is
// no part of it.
std::optional<TableFormat> find_table_format(const std::filesystem::path& path);

// The same; ConfigError "<path>: ..." where the name says nothing.
TableFormat table_format_of(const std::filesystem::path& path);

// Cells are JSON values. CSV, TSV, workbooks and lines have strings only, an empty field is "". The
// other formats have null, booleans, integers, numbers, strings, lists and objects; a row that
// lacks a column has null there. Of Parquet dates and times are strings as ISO 8601 spells them,
// decimals are numbers, not a number is null, dictionaries are their words, maps are lists of
// pairs, and bytes that are no UTF-8 are JSON's binary kind, which no JSON text has.
struct Table {
  std::string name;                               // the file's path; opens every message
  std::vector<std::string> columns;               // in the order of the file
  std::vector<std::vector<nlohmann::json>> rows;  // [n_rows][columns.size()]
  // [n_rows], for messages: "tweets.csv:12", "tweets.parquet: row 7 (row group 0)" from 0 on,
  // "tweets.xlsx: sheet 'Tweets', cell A12".
  std::vector<std::string> places;
  std::map<std::string, std::string> metadata;  // of Parquet: what its writer says about it
  std::vector<std::string> notes;               // sentences for people: what may be wrong

  // The position of a column. DataError naming the nearest and all of them if there is none, and if
  // two have the name.
  std::size_t column(std::string_view column_name) const;

  std::optional<std::size_t> find_column(std::string_view column_name) const;
};

enum class TableRows {
  All,
  None,  // columns and metadata only, which are had of Parquet without reading the rest
};

struct TableOptions {
  std::optional<TableFormat> format;  // unset: by the file's name
  char delimiter = '\0';              // of CSV and TSV; '\0': a comma, a tab
  SwallowedRows swallowed = SwallowedRows::Refuse;
  TableRows rows = TableRows::All;
  std::string sheet;  // of workbooks; empty: the only one
  // What stands for each byte that is no UTF-8, in formats of text; unset: such a file is refused.
  std::optional<std::string> bad_bytes = {};
};

// Reads the whole file, unpacked where it is compressed. Each line of a text is a row of the one
// column "line". CSV and TSV have a header, and quotes as csv.h says; a note says where the
// last row has no line break. The first row of a workbook's sheet is its header. JSON is a list of
// objects, an object of columns (lists of one length, or pandas' objects of row numbers) or an
// object of rows, whose keys become the first column, "id"
// ("key" where the rows have an "id" of their own).
// Throws DataError with file and line for a file that is missing, broken, not in UTF-8 or not of
// its format, for one without columns (a table without rows is one), and for Parquet where its
// reader was not built.
Table read_table(const std::filesystem::path& path, const TableOptions& options = {});

}  // namespace labelprobe::files
