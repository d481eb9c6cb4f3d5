#include "prompt/jinja/string_literal.h"

#include <charconv>
#include <cstdint>
#include <system_error>

#include <fmt/format.h>

#include "labelprobe/core/utf8.h"

#include "prompt/jinja/lexer.h"

namespace labelprobe::prompt::jinja {

namespace {

constexpr std::string_view kEscapes = "\\'\"abfnrtv";
constexpr std::string_view kMeanings = "\\'\"\a\b\f\n\r\t\v";

std::size_t n_digits(char letter) {
  return letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
}

// Appends the character of `n` digits of a code at the beginning of `digits`.
void append_code(std::string& text, std::string_view digits, std::size_t n, int base, int line) {
  std::uint32_t code = 0;
  const std::string_view shown = digits.substr(0, n);
  const auto read = std::from_chars(shown.data(), shown.data() + shown.size(), code, base);
  const bool is_whole =
      shown.size() == n && read.ec == std::errc() && read.ptr == shown.data() + shown.size();
  if (!is_whole || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
    refuse_at(line,
              fmt::format("expected the code of a character in an escape, found '{}'", shown));
  }
  append_utf8(text, code);
}

std::size_t count_octal(std::string_view text) {
  std::size_t n = 0;
  while (n < 3 && n < text.size() && text[n] >= '0' && text[n] <= '7') ++n;
  return n;
}

}  // namespace

std::string unescape(std::string_view literal, int line) {
  std::string text;
  for (std::size_t i = 0; i < literal.size(); ++i) {
    if (literal[i] != '\\' || i + 1 == literal.size()) {
      text += literal[i];
      continue;
    }
    const std::string_view tail = literal.substr(++i);
    if (const std::size_t known = kEscapes.find(tail[0]); known != std::string_view::npos) {
      text += kMeanings[known];
    } else if (const std::size_t n = n_digits(tail[0]); n > 0) {
      append_code(text, tail.substr(1), n, 16, line);
      i += n;
    } else if (const std::size_t n_octal = count_octal(tail); n_octal > 0) {
      append_code(text, tail, n_octal, 8, line);
      i += n_octal - 1;
    } else if (tail[0] == 'N') {
      refuse_at(line, "a character named in an escape (\\N) is not supported");
    } else if (tail[0] != '\n') {  // a line break behind a backslash stands for nothing
      text += '\\';
      text += tail[0];
    }
  }
  return text;
}

}  // namespace labelprobe::prompt::jinja
