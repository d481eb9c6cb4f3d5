#include "data/tasks/cells.h"

#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "data/forms/list_text.h"

namespace labelprobe::data {

namespace {

using nlohmann::json;

std::vector<std::string> split_at_dots(std::string_view name) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    parts.emplace_back(name.substr(0, dot));
    if (dot == name.size()) return parts;
    name.remove_prefix(dot + 1);
  }
}

// What lies at the end of the path.
json follow(const json& cell, std::span<const std::string> path, const std::string& where) {
  if (path.empty()) return cell;
  if (cell.is_array()) {
    json all = json::array();
    for (const json& item : cell) all.push_back(follow(item, path, where));
    return all;
  }
  const auto found = cell.is_object() ? cell.find(path.front()) : cell.end();
  if (found == cell.end()) {
    throw DataError(fmt::format("{}: expected a member '{}', found none", where, path.front()));
  }
  return follow(*found, path.subspan(1), where);
}

std::string with_letters(const json& cell, const std::string& place) {
  constexpr std::size_t kMost = 26;
  const json list = list_in(cell);
  if (list.is_null() || list.size() > kMost) {
    throw DataError(fmt::format("{}: expected a list of at most {} texts, found {}", place, kMost,
                                list.is_null() ? cell.type_name() : fmt::to_string(list.size())));
  }
  std::string text;
  for (std::size_t i = 0; i < list.size(); ++i) {
    text += fmt::format("{}{}. {}", i > 0 ? "\n" : "", static_cast<char>('A' + i),
                        text_of(list[i], place));
  }
  return text;
}

}  // namespace

Column::Column(const files::Table& table, const ColumnName& column)
    : table_(table), name_(column.name) {
  if (const auto whole = table.find_column(column.name)) {
    index_ = *whole;
    return;
  }
  path_ = split_at_dots(column.name);
  const auto first = table.find_column(path_.front());
  if (!first || path_.size() == 1) {
    try {
      table.column(column.name);
    } catch (const DataError& error) {
      throw DataError(fmt::format("{} ({} names it)", error.what(), column.place));
    }
  }
  index_ = *first;
  path_.erase(path_.begin());
}

json Column::at(std::size_t row) const {
  const json& cell = table_.rows[row][index_];
  if (path_.empty()) return cell;
  const json list = list_in(cell);
  return follow(list.is_null() ? cell : list, path_,
                fmt::format("{}: column '{}'", table_.places[row], name_));
}

json list_in(const json& cell) {
  if (cell.is_array()) return cell;
  if (!cell.is_string()) return nullptr;
  return list_of_text(cell.get_ref<const std::string&>());
}

std::string text_of(const json& cell, const std::string& place) {
  if (cell.is_string()) return cell.get<std::string>();
  if (cell.is_null()) return "";
  if (cell.is_object()) {
    throw DataError(place + ": expected a text or a number, found an object");
  }
  if (!cell.is_array()) return cell.dump();
  std::string text;
  for (std::size_t i = 0; i < cell.size(); ++i) {
    text += (i > 0 ? " " : "") + text_of(cell[i], place);
  }
  return text;
}

TextForm::TextForm(std::string_view spelled, const std::string& place) {
  constexpr std::string_view kLetters = "|letters";
  if (spelled.find('{') == std::string_view::npos) {
    pieces_.push_back({"", {std::string(spelled), place}});
    return;
  }
  std::string literal;
  for (std::size_t i = 0; i < spelled.size(); ++i) {
    const bool is_doubled = i + 1 < spelled.size() && spelled[i + 1] == spelled[i];
    if ((spelled[i] == '{' || spelled[i] == '}') && is_doubled) {
      literal += spelled[i++];
    } else if (spelled[i] == '{') {
      const std::size_t end = spelled.find('}', i);
      if (end == std::string_view::npos) {
        throw ConfigError(
            fmt::format("{}: expected a '}}' behind '{}'; a brace of the text is "
                        "written twice",
                        place, spelled.substr(i)));
      }
      std::string_view name = spelled.substr(i + 1, end - i - 1);
      const bool has_letters = name.ends_with(kLetters);
      if (has_letters) name.remove_suffix(kLetters.size());
      if (name.empty()) throw ConfigError(place + ": expected the name of a column in { }");
      pieces_.push_back({std::move(literal), {std::string(name), place}, has_letters});
      literal.clear();
      i = end;
    } else {
      literal += spelled[i];
    }
  }
  if (!literal.empty()) pieces_.push_back({std::move(literal), {}});
}

TextColumn::TextColumn(const files::Table& table, const TextForm& form)
    : table_(table), form_(form) {
  for (const TextForm::Piece& piece : form.pieces()) {
    if (!piece.column.name.empty()) columns_.emplace_back(table, piece.column);
  }
}

std::string TextColumn::at(std::size_t row) const {
  std::string text;
  std::size_t n_columns = 0;
  for (const TextForm::Piece& piece : form_.pieces()) {
    text += piece.literal;
    if (piece.column.name.empty()) continue;
    const Column& column = columns_[n_columns++];
    const std::string place = fmt::format("{}: column '{}'", table_.places[row], column.name());
    const json cell = column.at(row);
    text += piece.has_letters ? with_letters(cell, place) : text_of(cell, place);
  }
  return text;
}

}  // namespace labelprobe::data
