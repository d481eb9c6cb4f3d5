#include "labelprobe/core/text.h"

#include <cstdint>

namespace labelprobe {

namespace {

// Length in bytes of the well-formed UTF-8 character at text[at], its code point in *code; 0 if
// there is none.
std::size_t decode_at(std::string_view text, std::size_t at, std::uint32_t* code) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  std::size_t length = 0;
  std::uint32_t lowest = 0;
  if (first < 0x80) {
    *code = first;
    return 1;
  }
  if (first >= 0xC2 && first < 0xE0) {
    length = 2, lowest = 0x80, *code = first & 0x1Fu;
  } else if (first >= 0xE0 && first < 0xF0) {
    length = 3, lowest = 0x800, *code = first & 0x0Fu;
  } else if (first >= 0xF0 && first < 0xF5) {
    length = 4, lowest = 0x10000, *code = first & 0x07u;
  } else {
    return 0;
  }
  if (at + length > text.size()) {
    return 0;
  }
  for (std::size_t i = at + 1; i < at + length; ++i) {
    if ((byte(i) & 0xC0u) != 0x80u) {
      return 0;
    }
    *code = (*code << 6) | (byte(i) & 0x3Fu);
  }
  const bool is_surrogate = *code >= 0xD800 && *code <= 0xDFFF;
  return *code < lowest || *code > 0x10FFFF || is_surrogate ? 0 : length;
}

// The characters for which Python's str.isspace() holds (Unicode White_Space plus U+001C to
// U+001F).
bool is_space(std::uint32_t code) {
  return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20) || code == 0x85 ||
         code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
         code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

}  // namespace

std::string_view strip(std::string_view text) {
  std::uint32_t code = 0;
  while (!text.empty()) {
    const std::size_t length = decode_at(text, 0, &code);
    if (length == 0 || !is_space(code)) {
      break;
    }
    text.remove_prefix(length);
  }
  while (!text.empty()) {
    std::size_t start = text.size() - 1;
    while (start > 0 && text.size() - start < 4 &&
           (static_cast<unsigned char>(text[start]) & 0xC0u) == 0x80u) {
      --start;
    }
    if (decode_at(text, start, &code) != text.size() - start || !is_space(code)) {
      break;
    }
    text.remove_suffix(text.size() - start);
  }
  return text;
}

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return lower;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string replaced;
  std::size_t at = 0;
  for (std::size_t found = text.find(from); found != std::string_view::npos;
       found = text.find(from, at)) {
    replaced.append(text, at, found - at);
    replaced.append(to);
    at = found + from.size();
  }
  replaced.append(text, at);
  return replaced;
}

bool is_utf8(std::string_view text) {
  std::uint32_t code = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = decode_at(text, at, &code);
    if (length == 0) {
      return false;
    }
    at += length;
  }
  return true;
}

}  // namespace labelprobe
