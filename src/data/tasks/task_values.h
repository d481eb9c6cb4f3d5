// Values of task files: texts, names of columns, choices. Each throws ConfigError (file, line,
// expected, found).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/yaml.h"

#include "data/tasks/cells.h"

namespace labelprobe::data {

std::string text_of(const files::YamlView& value);

// A text that is not empty.
//   what  for messages: "the name of a column"
std::string name_of(const files::YamlView& value, std::string_view what);

// One text or a list of them.
std::vector<std::string> texts_of(const files::YamlView& value, std::string_view what);

ColumnName column_of(const files::YamlView& value);

// A column, or a template.
TextForm text_form_of(const files::YamlView& value);

// A list of columns, each called as itself, or a map name -> column.
std::vector<std::pair<std::string, ColumnName>> named_columns_of(const files::YamlView& value);

bool boolean_of(const files::YamlView& value);

// What the name in `known` stands for.
template <typename Value>
Value choice_of(const files::YamlView& value,
                std::string_view kind,
                std::span<const std::pair<const char*, Value>> known) {
  std::vector<std::string> names;
  for (const auto& [name, meant] : known) {
    if (value.is_scalar() && value.text() == name) return meant;
    names.emplace_back(name);
  }
  if (!value.is_scalar()) value.fail_expected(fmt::format("{}", fmt::join(names, ", ")));
  value.fail(unknown_choice(kind, value.text(), names));
}

}  // namespace labelprobe::data
