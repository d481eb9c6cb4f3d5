#include <algorithm>

#include "data/cleaning/text_preprocessor_entities.h"
#include "data/cleaning/text_preprocessor_regex.h"

namespace labelprobe::data {

namespace {

constexpr unsigned kReplacementCharacter = 0xFFFD;
constexpr unsigned kLastCodePoint = 0x10FFFF;

std::string utf8_of(unsigned code) {
  const auto tail = [code](int shift) {
    return static_cast<char>(0x80 | ((code >> shift) & 0x3F));
  };
  if (code < 0x80) {
    return {static_cast<char>(code)};
  }
  if (code < 0x800) {
    return {static_cast<char>(0xC0 | (code >> 6)), tail(0)};
  }
  if (code < 0x10000) {
    return {static_cast<char>(0xE0 | (code >> 12)), tail(6), tail(0)};
  }
  return {static_cast<char>(0xF0 | (code >> 18)), tail(12), tail(6), tail(0)};
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
  for (const auto& [from, to] : kReplacedCodes) {
    if (code == from) {
      return utf8_of(to);
    }
  }
  if ((code >= 0xD800 && code <= 0xDFFF) || code > kLastCodePoint) {
    return utf8_of(kReplacementCharacter);
  }
  return is_no_character(code) ? "" : utf8_of(code);
}

const NamedCharacter* find_named(std::string_view name) {
  const auto* const found = std::lower_bound(
      kNamedCharacters.begin(), kNamedCharacters.end(), name,
      [](const NamedCharacter& entry, std::string_view wanted) { return entry.name < wanted; });
  return found != kNamedCharacters.end() && found->name == name ? found : nullptr;
}

// The longest beginning of `name` that is one counts: "notit;" is "not" and "it;".
std::string named_character(std::string_view name) {
  for (std::size_t length = name.size(); length > 1; --length) {
    if (const NamedCharacter* found = find_named(name.substr(0, length))) {
      return std::string(found->text).append(name.substr(length));
    }
  }
  return "&" + std::string(name);
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
