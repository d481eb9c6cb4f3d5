// How values are spelled: Python's str() and repr(), and JSON.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "labelprobe/core/utf8.h"
#include "labelprobe/python/repr.h"

#include "prompt/jinja/value.h"

namespace labelprobe::prompt::jinja {

namespace {

// Appends the text with some characters escaped; the others keep their origins.
template <typename Escape>
void append_escaped(Text& out, const Text& text, const Escape& escape, Budget& budget) {
  const std::string& bytes = text.bytes();
  budget.spend_bytes(bytes.size());
  std::size_t kept = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const Character character = character_at(bytes, at);
    const std::size_t n_bytes = std::max<std::size_t>(character.n_bytes, 1);
    if (const std::string escaped = escape(character.code); !escaped.empty()) {
      out.append(text.part(kept, at));
      out.append(escaped);
      kept = at + n_bytes;
    }
    at += n_bytes;
  }
  out.append(text.part(kept, bytes.size()));
}

// What str.isprintable() is false for, of the characters that texts have.
bool is_printable(std::uint32_t code) {
  const bool is_control = code < 0x20 || (code >= 0x7f && code <= 0xa0) || code == 0xad;
  const bool is_space = code == 0x1680 || (code >= 0x2000 && code <= 0x200f) ||
                        (code >= 0x2028 && code <= 0x202f) || (code >= 0x205f && code <= 0x206f) ||
                        code == 0x3000 || code == 0xfeff;
  return !is_control && !is_space;
}

void append_quoted(Text& out, const Text& text, Budget& budget) {
  const bool has_single = text.bytes().find('\'') != std::string::npos;
  const bool has_double = text.bytes().find('"') != std::string::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  out.append(std::string(1, quote));
  append_escaped(
      out, text,
      [&](std::uint32_t code) -> std::string {
        if (code == static_cast<unsigned char>(quote)) return std::string("\\") + quote;
        if (code == '\\') return "\\\\";
        if (code == '\n') return "\\n";
        if (code == '\r') return "\\r";
        if (code == '\t') return "\\t";
        if (is_printable(code)) return "";
        return code < 0x100 ? fmt::format("\\x{:02x}", code) : fmt::format("\\u{:04x}", code);
      },
      budget);
  out.append(std::string(1, quote));
}

std::string number_text(const Value& number) {
  if (const bool* held = number.as<bool>()) return *held ? "True" : "False";
  if (const auto* held = number.as<std::int64_t>()) return std::to_string(*held);
  return python::repr(*number.as<double>());
}

void append_list_repr(Text& out, const List& list, Budget& budget) {
  out.append(list.is_tuple ? "(" : "[");
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    out.append(i == 0 ? "" : ", ");
    append_repr(out, list.items[i], budget);
  }
  out.append(list.is_tuple ? (list.items.size() == 1 ? ",)" : ")") : "]");
}

void append_dict_repr(Text& out, const Dict& dict, Budget& budget) {
  out.append("{");
  for (std::size_t i = 0; i < dict.items.size(); ++i) {
    out.append(i == 0 ? "" : ", ");
    append_repr(out, dict.items[i].first, budget);
    out.append(": ");
    append_repr(out, dict.items[i].second, budget);
  }
  out.append("}");
}

std::string escape_unicode(std::uint32_t code) {
  if (code < 0x10000) return fmt::format("\\u{:04x}", code);
  const std::uint32_t rest = code - 0x10000;
  return fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + (rest >> 10), 0xdc00 + (rest & 0x3ff));
}

class JsonWriter {
 public:
  JsonWriter(Text& out, const JsonStyle& style, Budget& budget)
      : out_(out), style_(style), budget_(budget) {}

  void write(const Value& value, int depth) {
    budget_.spend_steps(1);
    if (const Text* text = value.text()) {
      write_text(*text);
    } else if (const List* list = value.list()) {
      write_list(*list, depth);
    } else if (const Dict* dict = value.dict()) {
      write_dict(*dict, depth);
    } else if (value.is<None>()) {
      out_.append("null");
    } else if (const bool* truth = value.as<bool>()) {
      out_.append(*truth ? "true" : "false");
    } else if (const double* number = value.as<double>()) {
      out_.append(spell(*number));
    } else if (value.is<std::int64_t>()) {
      out_.append(number_text(value));
    } else {
      throw TemplateError(fmt::format("tojson: expected a value of JSON, found {}", value.kind()));
    }
  }

 private:
  static std::string spell(double number) {
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
    return python::repr(number);
  }

  void write_text(const Text& text) {
    out_.append("\"");
    append_escaped(
        out_, text,
        [&](std::uint32_t code) -> std::string {
          switch (code) {
            case '"':
              return "\\\"";
            case '\\':
              return "\\\\";
            case '\n':
              return "\\n";
            case '\r':
              return "\\r";
            case '\t':
              return "\\t";
            case '\b':
              return "\\b";
            case '\f':
              return "\\f";
            default:
              return code < 0x20 || (style_.is_ascii && code > 0x7e) ? escape_unicode(code) : "";
          }
        },
        budget_);
    out_.append("\"");
  }

  void write_list(const List& list, int depth) {
    out_.append("[");
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      begin_item(i, depth);
      write(list.items[i], depth + 1);
    }
    end_items(list.items.size(), depth);
    out_.append("]");
  }

  void write_dict(const Dict& dict, int depth) {
    auto items = dict.items;
    if (style_.sorts_keys) {
      // Keys may be no numbers, which have no order: this sort bears that.
      std::stable_sort(items.begin(), items.end(), [&](const auto& a, const auto& b) {
        return less(a.first, b.first, budget_);
      });
    }
    out_.append("{");
    for (std::size_t i = 0; i < items.size(); ++i) {
      begin_item(i, depth);
      write_key(items[i].first);
      out_.append(style_.key_separator);
      write(items[i].second, depth + 1);
    }
    end_items(items.size(), depth);
    out_.append("}");
  }

  void write_key(const Value& key) {
    if (key.text()) return write_text(*key.text());
    out_.append("\"");
    write(key, 0);
    out_.append("\"");
  }

  void begin_item(std::size_t i, int depth) {
    if (i > 0) out_.append(style_.item_separator);
    if (style_.indent >= 0) break_line(depth + 1);
  }

  void end_items(std::size_t n_items, int depth) {
    if (n_items > 0 && style_.indent >= 0) break_line(depth);
  }

  void break_line(int depth) {
    const auto n_spaces = static_cast<std::size_t>(depth) * static_cast<std::size_t>(style_.indent);
    budget_.spend_bytes(n_spaces);
    out_.append("\n" + std::string(n_spaces, ' '));
  }

  Text& out_;
  const JsonStyle& style_;
  Budget& budget_;
};

}  // namespace

void append_string(Text& out, const Value& value, Budget& budget) {
  if (const Text* text = value.text()) {
    budget.spend_bytes(text->size());
    out.append(*text);
  } else {
    append_repr(out, value, budget);
  }
}

void append_repr(Text& out, const Value& value, Budget& budget) {
  budget.spend_steps(1);
  if (value.is_undefined()) return;
  if (value.is<None>()) return out.append("None");
  if (value.is_number()) return out.append(number_text(value));
  if (const Text* text = value.text()) return append_quoted(out, *text, budget);
  if (const List* list = value.list()) return append_list_repr(out, *list, budget);
  if (const Dict* dict = value.dict()) return append_dict_repr(out, *dict, budget);
  throw TemplateError(fmt::format("expected a value that can be written, found {}", value.kind()));
}

Text to_text(const Value& value, Budget& budget) {
  if (value.text()) return *value.text();
  Text text;
  append_string(text, value, budget);
  return text;
}

void append_json(Text& out, const Value& value, const JsonStyle& style, Budget& budget) {
  JsonWriter(out, style, budget).write(value, 0);
}

}  // namespace labelprobe::prompt::jinja
