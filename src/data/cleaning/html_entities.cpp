#include "data/cleaning/html_entities.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include <fmt/core.h>

#include "labelprobe/core/utf8.h"

#include "data/cleaning/text_preprocessor_regex.h"

namespace labelprobe::data {

namespace {

constexpr unsigned kReplacementCharacter = 0xFFFD;
constexpr unsigned kLastCodePoint = 0x10FFFF;

// What the numbers from 0x80 on stand for: characters of windows-1252.
constexpr std::array<unsigned, 32> kWindows1252 = {
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

std::string utf8_of(unsigned code) {
  std::string bytes;
  append_utf8(bytes, code);
  return bytes;
}

// Controls and noncharacters: a reference to one vanishes.
bool is_no_character(unsigned code) {
  return (code >= 0x1 && code <= 0x8) || code == 0xB || (code >= 0xE && code <= 0x1F) ||
         (code >= 0x7F && code <= 0x9F) || (code >= 0xFDD0 && code <= 0xFDEF) ||
         (code & 0xFFFE) == 0xFFFE;
}

std::string numbered_character(std::string_view digits, unsigned base) {
  unsigned code = 0;
  for (const char c : digits) {
    const auto digit = static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    code = std::min(code * base + digit, kLastCodePoint + 1);  // stays too large, never wraps
  }
  if (code >= 0x80 && code < 0x80 + kWindows1252.size()) {
    return utf8_of(kWindows1252[code - 0x80]);
  }
  if (code == 0 || (code >= 0xD800 && code <= 0xDFFF) || code > kLastCodePoint) {
    return utf8_of(kReplacementCharacter);
  }
  return is_no_character(code) ? "" : utf8_of(code);
}

using NamedCharacters = std::map<std::string_view, std::string>;

// Takes what stands before the next `separator`, or all of it.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

// "U+2242+0338" as UTF-8.
std::string text_of(std::string_view code_points) {
  std::string text;
  take_until(code_points, '+');
  while (!code_points.empty()) {
    const std::string_view digits = take_until(code_points, '+');
    unsigned code = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    text += utf8_of(code);
  }
  return text;
}

NamedCharacters read_named_characters(std::string_view lines) {
  NamedCharacters named;
  while (!lines.empty()) {
    std::string_view line = take_until(lines, '\n');
    if (line.starts_with('#')) {
      continue;
    }
    const std::string text = text_of(take_until(line, ' '));
    while (!line.empty()) {
      named.emplace(take_until(line, ' '), text);
    }
  }
  return named;
}

// The longest beginning of `name` that is one counts: "notit;" is "not" and "it;".
std::string named_character(std::string_view name) {
  static const NamedCharacters kNamed = read_named_characters(kHtmlEntities);
  for (std::size_t length = name.size(); length > 1; --length) {
    if (const auto found = kNamed.find(name.substr(0, length)); found != kNamed.end()) {
      return found->second + std::string(name.substr(length));
    }
  }
  return fmt::format("&{}", name);
}

}  // namespace

std::string unescape_html(std::string_view text) {
  static const TextRegex kReference(
      R"(&(?:#([0-9]+);?|#[xX]([0-9a-fA-F]+);?|([^\t\n\f <&#;]{1,32};?)))");
  if (text.find('&') == std::string_view::npos) {
    return std::string(text);
  }
  return kReference.replace(text, [](const RegexMatch& match) {
    if (!match.group(1).empty()) {
      return numbered_character(match.group(1), 10);
    }
    if (!match.group(2).empty()) {
      return numbered_character(match.group(2), 16);
    }
    return named_character(match.group(3));
  });
}

}  // namespace labelprobe::data
