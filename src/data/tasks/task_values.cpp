#include "data/tasks/task_values.h"

namespace labelprobe::data {

using files::YamlView;

std::string text_of(const YamlView& value) {
  if (!value.is_scalar() || value.is_null()) value.fail_expected("a text");
  return value.text();
}

std::string name_of(const YamlView& value, std::string_view what) {
  if (!value.is_scalar() || value.is_null() || value.text().empty()) {
    value.fail_expected(std::string(what));
  }
  return value.text();
}

std::vector<std::string> texts_of(const YamlView& value, std::string_view what) {
  if (!value.is_list()) return {name_of(value, what)};
  std::vector<std::string> texts;
  for (const YamlView& item : value.items()) texts.push_back(name_of(item, what));
  if (texts.empty()) value.fail_expected(std::string(what));
  return texts;
}

ColumnName column_of(const YamlView& value) {
  return {name_of(value, "the name of a column"), value.place()};
}

TextForm text_form_of(const YamlView& value) {
  return {name_of(value, "the name of a column, or a template such as '{title}: {body}'"),
          value.place()};
}

std::vector<std::pair<std::string, ColumnName>> named_columns_of(const YamlView& value) {
  std::vector<std::pair<std::string, ColumnName>> columns;
  if (value.is_map()) {
    for (const auto& [name, column] : value.members()) {
      columns.emplace_back(name_of(name, "a name"), column_of(column));
    }
  } else {
    if (!value.is_list()) value.fail_expected("a list of columns, or a map of names to columns");
    for (const YamlView& item : value.items()) {
      columns.emplace_back(column_of(item).name, column_of(item));
    }
  }
  if (columns.empty()) value.fail_expected("at least one column");
  return columns;
}

bool boolean_of(const YamlView& value) {
  const auto found = value.boolean();
  if (!found) value.fail_expected("true or false");
  return *found;
}

}  // namespace labelprobe::data
