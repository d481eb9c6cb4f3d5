#include "tokenizer/text/regex.h"

#include <cstdio>
#include <span>

#include <fmt/core.h>

#include "labelprobe/core/error.h"

#include "tokenizer/text/unicode.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace labelprobe::tokenizer {

namespace {

// Unicode White_Space, spelled out: PCRE2's \s also has U+180E, and ranges are matched faster than
// a property.
constexpr std::string_view kSpaces =
    R"(\x09-\x0d\x20\x85\xa0\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
// Oniguruma counts Latin-1's superscripts and fractions among the word characters, but none above.
constexpr std::string_view kWordCharacters = R"(\p{Alphabetic}\p{Pc}\xb2\xb3\xb9\xbc-\xbe)";

std::string class_items(std::string_view quick, std::span<const CodeRange> ranges) {
  std::string items(quick);
  for (const auto& [first, last] : ranges) {
    char text[40];
    std::snprintf(text, sizeof text, "\\x{%x}-\\x{%x}", first, last);
    items += text;
  }
  return items;
}

// What stands for `escape` (such as "\s" or "\p{L}") inside [...]; empty if PCRE2 means the same.
std::string positive_items(std::string_view escape) {
  // The ASCII members come first because PCRE2 finds those in a bitmap.
  static const std::string letters = class_items("A-Za-z\\p{L}", kNewerLetters);
  static const std::string marks = class_items("\\p{M}", kNewerMarks);
  static const std::string digits = class_items("0-9\\p{Nd}", kNewerDigits);
  static const std::string numbers = class_items(digits + "\\p{N}", kNewerOtherNumbers);
  if (escape == "\\s") {
    return std::string(kSpaces);
  }
  if (escape == "\\w") {
    return letters + marks + digits + std::string(kWordCharacters);
  }
  if (escape == "\\h") {
    return "0-9A-Fa-f";
  }
  if (escape == "\\d" || escape == "\\p{Nd}") {
    return digits;
  }
  if (escape == "\\p{L}" || escape == "\\pL") {
    return letters;
  }
  if (escape == "\\p{M}" || escape == "\\pM") {
    return marks;
  }
  if (escape == "\\p{N}" || escape == "\\pN") {
    return numbers;
  }
  return {};
}

// The escape that `escape` is the opposite of: "\S" gives "\s".
std::string opposite(std::string_view escape) {
  std::string positive(escape);
  if (positive.size() > 1 && positive[1] >= 'A' && positive[1] <= 'Z') {
    positive[1] = static_cast<char>(positive[1] - 'A' + 'a');
    return positive;
  }
  return {};
}

// The escape sequence at the head of `rest`, with the {...} or letter of a property.
std::string_view escape_at(std::string_view rest) {
  if (rest.size() < 2) {
    throw ModelError("the regular expression ends in a backslash");
  }
  const bool is_property = rest[1] == 'p' || rest[1] == 'P';
  const bool has_braces = (is_property || rest[1] == 'x') && rest.size() > 2 && rest[2] == '{';
  if (has_braces) {
    const std::size_t close = rest.find('}');
    return rest.substr(0, close == std::string_view::npos ? rest.size() : close + 1);
  }
  return rest.substr(0, is_property ? 3 : 2);
}

std::string translate_escape(std::string_view escape, bool in_class) {
  if (const std::string items = positive_items(escape); !items.empty()) {
    return in_class ? items : fmt::format("[{}]", items);
  }
  const std::string items = positive_items(opposite(escape));
  if (items.empty()) {
    return std::string(escape);
  }
  if (!in_class) {
    return fmt::format("[^{}]", items);
  }
  if (escape == "\\S") {
    return "\\P{White_Space}";
  }
  if (escape == "\\W" || escape == "\\H") {
    throw ModelError(
        fmt::format("the regular expression has {} inside [...], which is not supported", escape));
  }
  return std::string(escape == "\\D" ? "\\P{Nd}" : escape);
}

// What one thread needs to match, made once. The ovector holds the whole match only.
struct MatchSpace {
  pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  pcre2_jit_stack* stack = pcre2_jit_stack_create(32 * 1024, 4 * 1024 * 1024, nullptr);
  MatchSpace() { pcre2_jit_stack_assign(context, nullptr, stack); }
  ~MatchSpace() {
    pcre2_jit_stack_free(stack);
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
  }
  MatchSpace(const MatchSpace&) = delete;
  MatchSpace& operator=(const MatchSpace&) = delete;
};

std::string describe_pcre2(int error) {
  PCRE2_UCHAR text[200] = {};
  pcre2_get_error_message(error, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

}  // namespace

std::string translate_regex(std::string_view pattern) {
  std::string translated;
  bool in_class = false;
  for (std::size_t at = 0; at < pattern.size();) {
    const std::string_view rest = pattern.substr(at);
    if (rest[0] == '\\') {
      const std::string_view escape = escape_at(rest);
      translated += translate_escape(escape, in_class);
      at += escape.size();
      continue;
    }
    if (in_class && (rest.substr(0, 2) == "&&" || (rest[0] == '[' && rest.substr(0, 2) != "[:"))) {
      throw ModelError(
          "the regular expression has a set operation inside [...], which is not "
          "supported");
    }
    if (in_class && rest.substr(0, 2) == "[:") {
      const std::size_t close = rest.find(":]");
      const std::size_t length = close == std::string_view::npos ? 2 : close + 2;
      translated += rest.substr(0, length);
      at += length;
      continue;
    }
    if (!in_class && rest[0] == '[') {
      in_class = true;
      const std::size_t n_opening = rest.substr(0, 2) == "[^" ? 2 : 1;
      translated += rest.substr(0, n_opening);
      at += n_opening;
      continue;
    }
    in_class = in_class && rest[0] != ']';
    translated += rest[0];
    ++at;
  }
  return translated;
}

Regex::Regex(std::string_view pattern) : pattern_(pattern) {
  const std::string translated = translate_regex(pattern);
  int error = 0;
  PCRE2_SIZE error_at = 0;
  pcre2_compile_context* context = pcre2_compile_context_create(nullptr);
  pcre2_set_newline(context, PCRE2_NEWLINE_LF);
  // ^ and $ are line anchors in Oniguruma, always.
  code_ = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                        PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error,
                        &error_at, context);
  pcre2_compile_context_free(context);
  if (code_ == nullptr) {
    throw ModelError(fmt::format("the regular expression '{}' cannot be compiled: {}", pattern_,
                                 describe_pcre2(error)));
  }
  has_jit_ = pcre2_jit_compile(code_, PCRE2_JIT_COMPLETE) == 0;
}

Regex::~Regex() {
  pcre2_code_free(code_);
}

bool Regex::find(std::string_view text, std::size_t from, Range* match) const {
  thread_local MatchSpace space;
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  const int n_groups =
      has_jit_ ? pcre2_jit_match(code_, subject, text.size(), from, 0, space.data, space.context)
               : pcre2_match(code_, subject, text.size(), from, PCRE2_NO_UTF_CHECK, space.data,
                             space.context);
  if (n_groups == PCRE2_ERROR_NOMATCH) {
    return false;
  }
  if (n_groups < 0) {
    throw ModelError(fmt::format("the regular expression '{}' fails on a text of {} bytes: {}",
                                 pattern_, text.size(), describe_pcre2(n_groups)));
  }
  const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(space.data);
  // \K may report a match that ends before it begins.
  *match = {bounds[0], bounds[1] < bounds[0] ? bounds[0] : bounds[1]};
  return true;
}

}  // namespace labelprobe::tokenizer
