#include "prompt/jinja/lexer.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/utf8.h"
#include "labelprobe/python/text.h"

#include "prompt/jinja/budget.h"
#include "prompt/jinja/string_literal.h"

namespace labelprobe::prompt::jinja {

namespace {

using TokenKind = Token::Kind;

constexpr std::array<std::string_view, 26> kOperators = {
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
    "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"};

bool is_space(char c) {
  return std::string_view(" \t\r\n\f\v").find(c) != std::string_view::npos;
}

bool is_number_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_name(char c) {
  return is_number_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// One kind of line break, and none at the end, as Jinja reads templates.
std::string normalized(std::string_view text) {
  std::string lines;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r') {
      lines += '\n';
      if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
    } else {
      lines += text[i];
    }
  }
  if (lines.ends_with('\n')) lines.pop_back();
  return lines;
}

std::string_view strip_begin(std::string_view text) {
  const std::string_view inner = python::strip(text);
  return inner.empty() ? inner : text.substr(static_cast<std::size_t>(inner.data() - text.data()));
}

std::string_view strip_end(std::string_view text) {
  const std::string_view inner = python::strip(text);
  if (inner.empty()) return inner;
  return text.substr(0, static_cast<std::size_t>(inner.data() - text.data()) + inner.size());
}

class Lexer {
 public:
  explicit Lexer(std::string text) : text_(std::move(text)) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) read_data();
    add(TokenKind::End, "");
    return std::move(tokens_);
  }

 private:
  std::string_view rest() const { return std::string_view(text_).substr(at_); }

  void move(std::size_t n) {
    line_ +=
        static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                    text_.begin() + static_cast<std::ptrdiff_t>(at_ + n), '\n'));
    at_ += n;
  }

  void add(TokenKind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }

  void add_data(std::string_view data) {
    if (!data.empty()) add(TokenKind::Data, std::string(data));
  }

  // The text up to the next mark, and what the mark begins.
  void read_data() {
    const std::size_t mark = find_mark();
    std::string_view data = std::string_view(text_).substr(at_, mark - at_);
    if (mark == text_.size()) {
      add_data(data);
      return move(data.size());
    }
    const char kind = text_[mark + 1];
    const char sign = mark + 2 < text_.size() ? text_[mark + 2] : ' ';
    const bool has_sign = sign == '-' || sign == '+';
    const std::size_t n_data = data.size();
    if (sign == '-') {
      data = strip_end(data);
    } else if (sign != '+' && kind != '{') {
      data = without_indent(data);
    }
    add_data(data);
    move(n_data + 2 + (has_sign ? 1 : 0));
    if (kind == '#') return skip_comment();
    if (kind == '%' && read_raw()) return;
    add(kind == '{' ? TokenKind::PrintBegin : TokenKind::StatementBegin, "");
    read_code(kind == '{');
  }

  std::size_t find_mark() const {
    for (std::size_t i = at_; (i = text_.find('{', i)) != std::string::npos; ++i) {
      if (i + 1 < text_.size() && std::string_view("{%#").find(text_[i + 1]) != std::string::npos) {
        return i;
      }
    }
    return text_.size();
  }

  // Blanks that a line begins with, before a statement, are not written.
  std::string_view without_indent(std::string_view data) const {
    const std::size_t line_break = data.rfind('\n');
    const std::size_t begin = line_break == std::string_view::npos ? 0 : line_break + 1;
    const bool begins_line = begin > 0 || at_ == 0 || text_[at_ - 1] == '\n';
    return begins_line && python::strip(data.substr(begin)).empty() ? data.substr(0, begin) : data;
  }

  // Behind a closing mark at `rest()`: n bytes of it, and the white space it takes along.
  void leave(std::size_t n, bool strips, bool takes_line_break) {
    move(n);
    if (strips) {
      move(rest().size() - strip_begin(rest()).size());
    } else if (takes_line_break && rest().starts_with('\n')) {
      move(1);
    }
  }

  void skip_comment() {
    const int begin = line_;
    const std::size_t end = rest().find("#}");
    if (end == std::string_view::npos)
      refuse_at(begin, "expected '#}' behind a comment, found none");
    const char sign = end > 0 ? rest()[end - 1] : ' ';
    leave(end + 2, sign == '-', sign != '+');
  }

  // {% raw %}: what is between it and {% endraw %} is written as it is.
  bool read_raw() {
    std::size_t n_open = 0;
    bool strips = false;
    if (!match_statement(rest(), "raw", n_open, strips)) return false;
    const int begin = line_;
    leave(n_open, strips, /*takes_line_break=*/false);
    for (std::size_t i = 0; (i = rest().find("{%", i)) != std::string_view::npos; ++i) {
      const std::string_view tail = rest().substr(i + 2);
      const bool has_sign = tail.starts_with('-') || tail.starts_with('+');
      std::size_t n_close = 0;
      if (!match_statement(tail.substr(has_sign ? 1 : 0), "endraw", n_close, strips)) continue;
      const std::string_view data = rest().substr(0, i);
      add_data(tail.starts_with('-')   ? strip_end(data)
               : tail.starts_with('+') ? data
                                       : without_indent(data));
      leave(i + 2 + (has_sign ? 1 : 0) + n_close, strips, true);
      return true;
    }
    refuse_at(begin, "expected {% endraw %} behind {% raw %}, found none");
  }

  // Whether the text is "<name> %}"; then how long that is, and whether it ends in "-%}".
  static bool match_statement(std::string_view text,
                              std::string_view name,
                              std::size_t& n_bytes,
                              bool& strips) {
    const std::string_view word = strip_begin(text);
    if (!word.starts_with(name)) return false;
    const std::string_view tail = strip_begin(word.substr(name.size()));
    strips = tail.starts_with("-%}");
    if (!strips && !tail.starts_with("%}")) return false;
    n_bytes = text.size() - tail.size() + (strips ? 3 : 2);
    return true;
  }

  void read_code(bool is_print) {
    const int begin = line_;
    const std::string_view close = is_print ? "}}" : "%}";
    int n_open = 0;
    while (at_ < text_.size()) {
      if (is_space(text_[at_])) {
        move(1);
      } else if (n_open == 0 && close_code(close, is_print)) {
        return;
      } else {
        n_open += read_word();
      }
    }
    refuse_at(begin, fmt::format("expected '{}', found the end of the template", close));
  }

  bool close_code(std::string_view close, bool is_print) {
    const bool has_sign = rest().starts_with('-') || (!is_print && rest().starts_with('+'));
    if (!rest().substr(has_sign ? 1 : 0).starts_with(close)) return false;
    add(is_print ? TokenKind::PrintEnd : TokenKind::StatementEnd, "");
    const char sign = has_sign ? rest()[0] : ' ';
    leave(close.size() + (has_sign ? 1 : 0), sign == '-', !is_print && sign != '+');
    return true;
  }

  // One word; by how much it changes the number of brackets that are open.
  int read_word() {
    const char first = text_[at_];
    if (first == '"' || first == '\'') {
      read_string(first);
    } else if (is_number_digit(first)) {
      read_number();
    } else if (is_name(first)) {
      const std::size_t n = count_while(at_, is_name);
      add(TokenKind::Name, std::string(rest().substr(0, n)));
      move(n);
    } else {
      return read_operator();
    }
    return 0;
  }

  std::size_t count_while(std::size_t from, bool (*fits)(char)) const {
    std::size_t n = 0;
    while (from + n < text_.size() && fits(text_[from + n])) ++n;
    return n;
  }

  void read_string(char quote) {
    const int begin = line_;
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) {
      refuse_at(begin, "expected a quote behind a text, found the end of the template");
    }
    add(TokenKind::String, unescape(std::string_view(text_).substr(at_ + 1, end - at_ - 1), begin));
    move(end + 1 - at_);
  }

  void read_number() {
    std::size_t n = count_while(at_, is_number_digit);
    TokenKind kind = TokenKind::Integer;
    if (at_ + n + 1 < text_.size() && text_[at_ + n] == '.' &&
        is_number_digit(text_[at_ + n + 1])) {
      kind = TokenKind::Number;
      n += 1 + count_while(at_ + n + 1, is_number_digit);
    }
    if (const std::size_t n_exponent = count_exponent(at_ + n); n_exponent > 0) {
      kind = TokenKind::Number;
      n += n_exponent;
    }
    std::string digits(rest().substr(0, n));
    if (at_ + n < text_.size() && is_name(text_[at_ + n])) {
      refuse_at(line_, fmt::format("expected a number in decimal digits, found '{}{}'", digits,
                                   text_[at_ + n]));
    }
    add(kind, std::move(digits));
    move(n);
  }

  // "e5", "E-5"
  std::size_t count_exponent(std::size_t from) const {
    const std::string_view text = std::string_view(text_).substr(from);
    if (!text.starts_with('e') && !text.starts_with('E')) return 0;
    const std::size_t n_sign = text.size() > 1 && (text[1] == '-' || text[1] == '+') ? 1 : 0;
    const std::size_t n_digits = count_while(from + 1 + n_sign, is_number_digit);
    return n_digits == 0 ? 0 : 1 + n_sign + n_digits;
  }

  int read_operator() {
    for (const std::string_view known : kOperators) {
      if (!rest().starts_with(known)) continue;
      add(TokenKind::Operator, std::string(known));
      move(known.size());
      if (known == "(" || known == "[" || known == "{") return 1;
      return known == ")" || known == "]" || known == "}" ? -1 : 0;
    }
    refuse_at(line_, fmt::format("expected an expression, found '{}'",
                                 rest().substr(0, next_character_start(rest(), 1))));
  }

  std::string text_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::vector<Token> tokens_;
};

}  // namespace

void refuse_at(int line, const std::string& finding) {
  throw TemplateError(fmt::format("{}: {}", line, finding));
}

std::vector<Token> split(std::string_view text) {
  return Lexer(normalized(text)).run();
}

}  // namespace labelprobe::prompt::jinja
