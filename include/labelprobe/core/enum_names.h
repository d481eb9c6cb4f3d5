// What people type and read for the values of an enumeration: one table per enumeration.
//
//   constexpr auto kRules = enum_names<ListRule>("rule", {{ListRule::Main, "main"}, ...});
//   kRules.parse("main"); kRules.name_of(ListRule::Main);
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/error.h"

namespace labelprobe {

template <class Enum>
struct EnumName {
  Enum value;
  std::string_view name;
  std::string_view also = {};  // other spellings, between spaces: read, neither written nor listed
};

template <class Enum, std::size_t n>
struct EnumNames {
  std::string_view kind;  // what messages call such a value
  std::array<EnumName<Enum>, n> rows;

  std::optional<Enum> find(std::string_view name) const {
    for (const EnumName<Enum>& row : rows) {
      if (name == row.name || is_word_of(name, row.also)) return row.value;
    }
    return std::nullopt;
  }

  static bool is_word_of(std::string_view name, std::string_view words) {
    for (std::size_t begin = 0; begin < words.size();) {
      const std::size_t end = std::min(words.find(' ', begin), words.size());
      if (name == words.substr(begin, end - begin)) return true;
      begin = end + 1;
    }
    return false;
  }

  // Throws ConfigError "unknown <kind> '<name>' (known: ...)".
  Enum parse(std::string_view name) const {
    if (const std::optional<Enum> found = find(name)) return *found;
    throw ConfigError(unknown_choice(kind, name, names()));
  }

  // `value` has a row.
  std::string_view name_of(Enum value) const {
    for (const EnumName<Enum>& row : rows) {
      if (row.value == value) return row.name;
    }
    throw InternalError(std::string(kind) + " without a name");
  }

  // In the order of the table.
  std::vector<std::string> names() const {
    std::vector<std::string> listed;
    for (const EnumName<Enum>& row : rows) listed.emplace_back(row.name);
    return listed;
  }
};

template <class Enum, std::size_t n>
constexpr EnumNames<Enum, n> enum_names(std::string_view kind, const EnumName<Enum> (&rows)[n]) {
  return {kind, std::to_array(rows)};
}

}  // namespace labelprobe
