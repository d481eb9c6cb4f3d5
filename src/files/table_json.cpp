// JSON lines and JSON as tables.
#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/files/json.h"

#include "files/table_readers.h"

namespace labelprobe::files {

namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void fail_expected(const std::string& place,
                                std::string_view expected,
                                const Json& found) {
  throw DataError(fmt::format("{}: expected {}, found {}", place, expected,
                              found.empty() && found.is_structured()
                                  ? fmt::format("an empty {}", found.type_name())
                                  : std::string(found.type_name())));
}

// Columns in the order in which rows name them first; what a row does not name is null.
class Rows {
 public:
  explicit Rows(Table& table) : table_(table) {}

  std::size_t column(const std::string& name) {
    const auto [found, is_new] = columns_.try_emplace(name, table_.columns.size());
    if (is_new) table_.columns.push_back(name);
    return found->second;
  }

  void begin(std::string place) {
    table_.rows.emplace_back(table_.columns.size());
    table_.places.push_back(std::move(place));
  }

  void put(const std::string& name, const Json& value) {
    const std::size_t at = column(name);
    std::vector<nlohmann::json>& row = table_.rows.back();
    row.resize(std::max(row.size(), at + 1));
    row[at] = nlohmann::json(value);
  }

  void add(const Json& row, const std::string& place) {
    if (!row.is_object()) fail_expected(place, "a row, a JSON object", row);
    begin(place);
    for (const auto& [name, value] : row.items()) put(name, value);
  }

  void finish() {
    for (auto& row : table_.rows) row.resize(table_.columns.size());
  }

 private:
  Table& table_;
  std::unordered_map<std::string, std::size_t> columns_;
};

// The line on which each element, or key, of the outermost list or object begins. `text` is JSON.
std::vector<std::size_t> lines_of_members(std::string_view text) {
  std::vector<std::size_t> lines;
  std::size_t line = 1;
  int depth = 0;
  bool is_in_string = false;
  bool is_expected = false;  // a member begins at the next character that is no space
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    line += c == '\n' ? 1 : 0;
    if (is_in_string) {
      i += c == '\\' ? 1 : 0;
      is_in_string = c != '"';
      continue;
    }
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
    if (c == ']' || c == '}') --depth;
    if (is_expected && depth > 0) lines.push_back(line);
    is_expected = depth == 1 && c == ',';
    if (c == '[' || c == '{') is_expected = ++depth == 1;
    is_in_string = c == '"';
  }
  return lines;
}

void read_rows(const Json& list, const std::vector<std::size_t>& lines, Table& table) {
  Rows rows(table);
  for (std::size_t i = 0; i < list.size(); ++i) {
    rows.add(list[i], fmt::format("{}:{}", table.name, lines.at(i)));
  }
  rows.finish();
}

void read_named_rows(const Json& object, const std::vector<std::size_t>& lines, Table& table) {
  const bool has_ids =
      std::any_of(object.begin(), object.end(), [](const Json& row) { return row.contains("id"); });
  const std::string key_column = has_ids ? "key" : "id";
  Rows rows(table);
  rows.column(key_column);
  std::size_t i = 0;
  for (const auto& [key, row] : object.items()) {
    const std::string place = fmt::format("{}:{}", table.name, lines.at(i++));
    if (row.is_object() && row.contains(key_column)) {
      throw DataError(fmt::format(
          "{}: expected rows with an 'id' or a 'key' at most, found both in an object of rows",
          place));
    }
    rows.add(row, place);
    rows.put(key_column, key);
  }
  rows.finish();
}

bool is_row_number(std::string_view key) {
  return !key.empty() &&
         std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// pandas' own form: {"text": {"0": .., "1": ..}, ..}, the same numbers in the same order.
bool has_numbered_rows(const Json& object) {
  const auto keys_of = [](const Json& column) {
    std::vector<std::string> keys;
    for (const auto& [key, cell] : column.items()) keys.push_back(key);
    return keys;
  };
  if (!object.front().is_object()) return false;
  const std::vector<std::string> keys = keys_of(object.front());
  return std::all_of(keys.begin(), keys.end(), is_row_number) &&
         std::all_of(object.begin(), object.end(), [&](const Json& column) {
           return column.is_object() && keys_of(column) == keys;
         });
}

void check_column(const std::string& name,
                  const Json& cells,
                  const Json& first,
                  const Table& table) {
  if (cells.type() == first.type() && cells.size() == first.size()) return;
  throw DataError(fmt::format(
      "{}: key '{}': expected {} of {} values as in the first column, found "
      "{} of {}",
      table.name, name, first.type_name(), first.size(), cells.type_name(), cells.size()));
}

void read_columns(const Json& object, Table& table) {
  Rows rows(table);
  const Json& first = object.front();
  std::vector<Json::const_iterator> next_cells;  // one per column
  for (const auto& [name, cells] : object.items()) {
    check_column(name, cells, first, table);
    rows.column(name);
    next_cells.push_back(cells.begin());
  }
  for (std::size_t i = 0; i < first.size(); ++i) {
    rows.begin(fmt::format("{}: row {}", table.name, i));
    for (std::size_t k = 0; k < next_cells.size(); ++k) {
      rows.put(table.columns[k], *next_cells[k]++);
    }
  }
}

}  // namespace

void read_json_lines(std::string_view text, Table& table) {
  Rows rows(table);
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (row.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    rows.add(parse_json_in_order(row, {table.name, ErrorKind::Data, line}),
             fmt::format("{}:{}", table.name, line));
  }
  rows.finish();
}

void read_json_table(std::string_view text, Table& table) {
  const Json root = parse_json_in_order(text, {table.name});
  if (!root.is_structured() || root.empty()) {
    fail_expected(table.name, "a list of objects, or an object of columns or of rows", root);
  }
  if (root.is_array()) {
    read_rows(root, lines_of_members(text), table);
  } else if (root.front().is_array() || has_numbered_rows(root)) {
    read_columns(root, table);
  } else {
    read_named_rows(root, lines_of_members(text), table);
  }
}

}  // namespace labelprobe::files
