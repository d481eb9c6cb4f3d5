// What a row of a table says: cells by the name of their column, and texts made of several.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/files/table.h"

namespace labelprobe::data {

// A column as a task file names it: the name in the table, or a path into the JSON of its cells,
// "annotators.label".
struct ColumnName {
  std::string name;
  std::string place;  // "my_task.yaml:5"
};

// A column of one table, which must outlive it.
class Column {
 public:
  // Throws DataError naming the nearest column and the task file's line if there is none.
  Column(const files::Table& table, const ColumnName& column);

  // A list on the path gives the list of what its items have. Throws DataError, opening with the
  // row's place, where the path leads nowhere.
  nlohmann::json at(std::size_t row) const;

  const std::string& name() const { return name_; }

 private:
  const files::Table& table_;
  std::string name_;
  std::size_t index_ = 0;
  std::vector<std::string> path_;  // inside the cell
};

// A cell that holds a list: itself, or the list that its text is (list_text.h). Null where it holds
// none.
nlohmann::json list_in(const nlohmann::json& cell);

// A cell as text: numbers as their digits, null as nothing, a list as its texts with spaces
// between. Throws DataError, opening with `place`, for an object.
std::string text_of(const nlohmann::json& cell, const std::string& place);

// A column's name, or a template: "{title}\n{body}". "{options|letters}" writes a list as lines
// "A. first", "B. second"; "{{" is a brace.
class TextForm {
 public:
  TextForm() = default;
  // Throws ConfigError, opening with `place`, for a template that is broken.
  TextForm(std::string_view spelled, const std::string& place);

  struct Piece {
    std::string literal;  // before the column
    ColumnName column;    // its name is empty behind the last column
    bool has_letters = false;
  };
  const std::vector<Piece>& pieces() const { return pieces_; }
  bool is_given() const { return !pieces_.empty(); }

 private:
  std::vector<Piece> pieces_;
};

// A text of one table, which must outlive it as the form must.
class TextColumn {
 public:
  TextColumn(const files::Table& table, const TextForm& form);
  std::string at(std::size_t row) const;

 private:
  const files::Table& table_;
  const TextForm& form_;
  std::vector<Column> columns_;
};

}  // namespace labelprobe::data
