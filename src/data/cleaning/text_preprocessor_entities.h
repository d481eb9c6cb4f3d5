// The characters that HTML 5 has names for, and what they are in a text.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace labelprobe::data {

struct NamedCharacter {
  std::string_view name;  // without "&"; most with ";"
  std::string_view text;  // UTF-8
};

inline constexpr std::size_t kNNamedCharacters = 2231;
extern const std::array<NamedCharacter, kNNamedCharacters> kNamedCharacters;  // sorted by name

// Numbers that stand for another character, as in windows-1252.
inline constexpr std::size_t kNReplacedCodes = 34;
extern const std::array<std::pair<unsigned, unsigned>, kNReplacedCodes> kReplacedCodes;

// `text` with every character reference ("&amp;", "&#39;") replaced as Python's html.unescape does.
std::string unescape_html(std::string_view text);

}  // namespace labelprobe::data
