#include "prompt/jinja/text_functions.h"

#include <algorithm>
#include <functional>

#include <utf8proc.h>

#include "labelprobe/core/utf8.h"
#include "labelprobe/python/text.h"

namespace labelprobe::prompt::jinja {

namespace {

std::string mapped(std::string_view text,
                   const std::function<std::uint32_t(std::uint32_t)>& map_code) {
  std::string out;
  for (const std::uint32_t code : codes_of(text)) append_utf8(out, map_code(code));
  return out;
}

std::uint32_t upper_code(std::uint32_t code) {
  return static_cast<std::uint32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(code)));
}

std::uint32_t lower_code(std::uint32_t code) {
  return static_cast<std::uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code)));
}

bool is_letter(std::uint32_t code) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return true;
    default:
      return false;
  }
}

bool ends_line(std::uint32_t code) {
  return (code >= 0x0a && code <= 0x0d) || (code >= 0x1c && code <= 0x1e) || code == 0x85 ||
         code == 0x2028 || code == 0x2029;
}

}  // namespace

std::vector<std::uint32_t> codes_of(std::string_view text) {
  std::vector<std::uint32_t> codes;
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    codes.push_back(character.code);
    at += std::max<std::size_t>(character.n_bytes, 1);
  }
  return codes;
}

bool is_space(std::uint32_t code) {
  std::string character;
  append_utf8(character, code);
  return python::strip(character).empty();
}

Text strip(const Text& text, Side side, const Text* characters) {
  const std::vector<std::uint32_t> codes =
      characters ? codes_of(characters->bytes()) : std::vector<std::uint32_t>();
  const auto goes = [&](std::size_t at) {
    const std::uint32_t code = character_at(text.bytes(), at).code;
    return characters ? std::find(codes.begin(), codes.end(), code) != codes.end() : is_space(code);
  };
  std::size_t begin = 0;
  std::size_t end = text.size();
  while (side != Side::Right && begin < end && goes(begin)) begin += length_at(text.bytes(), begin);
  while (side != Side::Left && end > begin) {
    const std::size_t last = character_start(text.bytes(), end - 1);
    if (!goes(last)) break;
    end = last;
  }
  return text.part(begin, end);
}

Text upper(const Text& text) {
  constexpr std::string_view kSharpS = "\xc3\x9f";  // the one letter of many texts that becomes two
  return text.respelled(mapped(replace_all(text.bytes(), kSharpS, "SS"), upper_code));
}

Text lower(const Text& text) {
  return text.respelled(mapped(text.bytes(), lower_code));
}

Text capitalized(const Text& text) {
  bool is_first = true;
  return text.respelled(mapped(text.bytes(), [&](std::uint32_t code) {
    const std::uint32_t made = is_first ? upper_code(code) : lower_code(code);
    is_first = false;
    return made;
  }));
}

Text titled(const Text& text, Words words) {
  const auto separates = [&](std::uint32_t code) {
    if (words == Words::Letters) return !is_letter(code);
    return is_space(code) || code == '-' || code == '(' || code == '{' || code == '[' ||
           code == '<';
  };
  bool begins = true;
  return text.respelled(mapped(text.bytes(), [&](std::uint32_t code) {
    const bool is_between = separates(code);
    const std::uint32_t made = is_between ? code : begins ? upper_code(code) : lower_code(code);
    begins = is_between;
    return made;
  }));
}

Text replaced(const Text& text, const Text& from, const Text& to, std::int64_t n, Budget& budget) {
  if (from.size() == 0) {
    throw TemplateError("replace: expected a text to replace, found an empty one");
  }
  Text made;
  std::size_t kept = 0;
  budget.spend_bytes(text.size());
  for (std::size_t at = 0;
       n != 0 && (at = text.bytes().find(from.bytes(), at)) != std::string::npos; --n) {
    budget.spend_bytes(to.size());
    budget.spend_steps(1 + to.origins().size());
    made.append(text.part(kept, at));
    made.append(to);
    kept = at += from.size();
  }
  made.append(text.part(kept, text.size()));
  return made;
}

std::vector<Value> split_at(const Text& text,
                            std::string_view separator,
                            std::int64_t n,
                            Budget& budget) {
  if (separator.empty()) throw TemplateError("split: expected a separator, found an empty text");
  std::vector<Value> parts;
  std::size_t begin = 0;
  for (std::size_t at = 0; n != 0 && (at = text.bytes().find(separator, at)) != std::string::npos;
       --n) {
    budget.spend_steps(1 + text.origins().size());
    parts.push_back(Value::text(text.part(begin, at)));
    begin = at += separator.size();
  }
  parts.push_back(Value::text(text.part(begin, text.size())));
  budget.spend_bytes(text.size());
  return parts;
}

std::vector<Value> split_at_last(const Text& text,
                                 std::string_view separator,
                                 std::int64_t n,
                                 Budget& budget) {
  if (separator.empty()) throw TemplateError("rsplit: expected a separator, found an empty text");
  std::vector<Value> parts;
  std::size_t end = text.size();
  while (n != 0 && end >= separator.size()) {
    const std::size_t at = text.bytes().rfind(separator, end - separator.size());
    if (at == std::string::npos) break;
    budget.spend_steps(1 + text.origins().size());
    parts.push_back(Value::text(text.part(at + separator.size(), end)));
    end = at;
    --n;
  }
  parts.push_back(Value::text(text.part(0, end)));
  std::reverse(parts.begin(), parts.end());
  budget.spend_bytes(text.size());
  return parts;
}

std::vector<Value> split_words(const Text& text, std::int64_t n, Budget& budget) {
  std::vector<Value> words;
  Text rest = strip(text, Side::Left, nullptr);
  budget.spend_bytes(text.size());
  std::size_t begin = text.size() - rest.size();
  while (begin < text.size()) {
    std::size_t end = begin;
    while (end < text.size() && (n == 0 || !is_space(character_at(text.bytes(), end).code))) {
      end += length_at(text.bytes(), end);
    }
    budget.spend_steps(1 + text.origins().size());
    words.push_back(Value::text(text.part(begin, end)));
    begin = end;
    while (begin < text.size() && is_space(character_at(text.bytes(), begin).code)) {
      begin += length_at(text.bytes(), begin);
    }
    --n;
  }
  return words;
}

std::vector<Value> split_lines(const Text& text, Budget& budget) {
  std::vector<Value> lines;
  std::size_t begin = 0;
  const std::string& bytes = text.bytes();
  budget.spend_bytes(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t n_bytes = length_at(bytes, at);
    if (!ends_line(character_at(bytes, at).code)) {
      at += n_bytes;
      continue;
    }
    budget.spend_steps(1 + text.origins().size());
    lines.push_back(Value::text(text.part(begin, at)));
    at += bytes.compare(at, 2, "\r\n") == 0 ? 2 : n_bytes;
    begin = at;
  }
  if (begin < bytes.size()) lines.push_back(Value::text(text.part(begin, bytes.size())));
  return lines;
}

Text joined(const std::vector<Value>& items, const Text& separator, Budget& budget) {
  Text made;
  for (std::size_t i = 0; i < items.size(); ++i) {
    budget.spend_steps(1 + separator.origins().size());
    budget.spend_bytes(separator.size());
    if (i > 0) made.append(separator);
    append_string(made, items[i], budget);
  }
  return made;
}

Text indented(
    const Text& text, std::string_view indent, bool with_first, bool with_blank, Budget& budget) {
  Text whole = text;
  whole.append("\n");
  const std::vector<Value> lines = split_lines(whole, budget);
  Text made;
  if (with_first) made.append(indent);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Text& line = *lines[i].text();
    if (i > 0) {
      budget.spend_bytes(indent.size());
      made.append("\n");
      if (with_blank || line.size() > 0) made.append(indent);
    }
    made.append(line);
  }
  return made;
}

}  // namespace labelprobe::prompt::jinja
