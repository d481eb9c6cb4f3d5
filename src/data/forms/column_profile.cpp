#include "data/forms/column_profile.h"

#include <algorithm>
#include <cstdlib>
#include <unordered_set>

#include <fmt/format.h>

#include "labelprobe/core/utf8.h"
#include "labelprobe/files/text_file.h"

#include "data/forms/list_text.h"
#include "data/forms/task_text.h"

namespace labelprobe::data {

namespace {

using nlohmann::json;

constexpr const char* kSpaces = " \t\r\n";

// The number that a cell is, or that its text is.
std::optional<double> number_of(const json& cell) {
  if (cell.is_number()) return cell.get<double>();
  if (!cell.is_string()) return std::nullopt;
  const std::string& text = cell.get_ref<const std::string&>();
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const bool is_whole =
      text.find_first_not_of(kSpaces, static_cast<std::size_t>(end - text.c_str())) == text.npos;
  return end != text.c_str() && is_whole ? std::optional(number) : std::nullopt;
}

bool is_share(const json& cell) {
  if (cell.is_boolean()) return true;
  if (cell.is_string()) {
    const std::string lower = ascii_lower(cell.get_ref<const std::string&>());
    if (lower == "true" || lower == "false") return true;
  }
  const std::optional<double> number = number_of(cell);
  return number && *number >= 0.0 && *number <= 1.0;
}

ColumnProfile profile(const files::Table& table, std::size_t column) {
  ColumnProfile found;
  found.name = table.columns[column];
  found.n_rows = table.rows.size();
  std::unordered_set<std::string> different;
  std::size_t n_numbers = 0, n_shares = 0, n_lists = 0, n_objects = 0, n_with_space = 0;
  double n_characters_sum = 0.0;
  for (const auto& row : table.rows) {
    const json& cell = row[column];
    std::string text = cell_text(cell);
    if (is_empty_cell(cell)) {
      ++found.n_empty;
      continue;
    }
    n_numbers += number_of(cell) ? 1 : 0;
    n_shares += is_share(cell) ? 1 : 0;
    n_lists += list_texts(cell) ? 1 : 0;
    n_objects += cell.is_object() ? 1 : 0;
    n_with_space += text.find(' ') == text.npos ? 0 : 1;
    n_characters_sum += static_cast<double>(n_characters(text));
    if (found.example.empty()) found.example = files::printable(text);
    different.insert(std::move(text));
  }
  const std::size_t n_full = found.n_rows - found.n_empty;
  const auto is_all = [&](std::size_t n) { return n_full > 0 && n == n_full; };
  found.n_different = different.size();
  found.are_numbers = is_all(n_numbers);
  found.are_shares = is_all(n_shares);
  found.are_lists = is_all(n_lists);
  found.are_objects = is_all(n_objects);
  if (n_full > 0) {
    found.mean_characters = n_characters_sum / static_cast<double>(n_full);
    found.share_with_space = static_cast<double>(n_with_space) / static_cast<double>(n_full);
  }
  return found;
}

std::string kind_of(const ColumnProfile& column) {
  if (column.n_empty == column.n_rows) return "nothing";
  std::string kind = column.are_objects   ? "objects"
                     : column.are_lists   ? "lists"
                     : column.are_shares  ? "0, 1 or shares"
                     : column.are_numbers ? "numbers"
                                          : "texts";
  kind = fmt::format("{}, {} different", kind, column.n_different);
  return column.n_empty == 0 ? kind : kind + fmt::format(", {} empty", column.n_empty);
}

}  // namespace

std::string cell_text(const json& cell) {
  if (cell.is_string()) return cell.get<std::string>();
  return cell.is_null() ? "" : cell.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool is_empty_cell(const json& cell) {
  return cell.is_null() ||
         (cell.is_string() &&
          cell.get_ref<const std::string&>().find_first_not_of(kSpaces) == std::string::npos);
}

std::optional<std::vector<std::string>> list_texts(const json& cell) {
  const json list = cell.is_string() ? list_of_text(cell.get_ref<const std::string&>()) : cell;
  if (!list.is_array()) return std::nullopt;
  std::vector<std::string> texts;
  for (const json& item : list) {
    if (item.is_structured()) return std::nullopt;
    texts.push_back(cell_text(item));
  }
  return texts;
}

std::vector<ColumnProfile> profile_columns(const files::Table& table) {
  std::vector<ColumnProfile> profiles;
  for (std::size_t i = 0; i < table.columns.size(); ++i) profiles.push_back(profile(table, i));
  return profiles;
}

std::string describe_columns(const files::Table& table) {
  const std::vector<ColumnProfile> columns = profile_columns(table);
  std::size_t width = 0;
  for (const ColumnProfile& column : columns) {
    width = std::max(width, n_characters(yaml_text(column.name)));
  }
  std::string text;
  for (const ColumnProfile& column : columns) {
    const std::string name = yaml_text(column.name);
    text += fmt::format("#   {}{}  {}{}\n", name, std::string(width - n_characters(name), ' '),
                        kind_of(column),
                        column.example.empty() ? "" : fmt::format(": {}", column.example));
  }
  return text;
}

}  // namespace labelprobe::data
