#include "labelprobe/files/yaml_writer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/python/repr.h"

namespace labelprobe::files {

namespace {

// Longer keys are written in the explicit form "? key": readers give up on a plain "key:" after
// 1024 characters.
constexpr std::size_t kLongestSimpleKey = 128;

// YAML 1.1 takes a number for a float only if its mantissa has a dot.
template <class Float>
std::string yaml_float(Float number) {
  std::string text = python::repr(number);
  if (!std::isfinite(number)) {
    text.insert(text.begin() + (text.front() == '-' ? 1 : 0), '.');
  } else if (const std::size_t e = text.find('e');
             e != std::string::npos && text.find('.') == std::string::npos) {
    text.insert(e, 1, '0').insert(e, 1, '.');
  }
  return text;
}

// Control characters, line breaks of any kind, the byte-order mark and non-characters: what a
// reader may refuse, fold or drop.
bool needs_escape(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029 ||
         code == 0xFEFF || (code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFE) == 0xFFFE;
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// True only where every YAML version reads `text`, free of characters to escape, as this string.
bool is_safe_plain(std::string_view text) {
  static constexpr std::array<std::string_view, 11> kOtherTypes = {
      "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"};
  if (text.empty() || !(is_letter(text.front()) || text.front() == '_') || text.back() == ' ' ||
      text.find_first_of(":#") != std::string_view::npos) {
    return false;
  }
  return std::find(kOtherTypes.begin(), kOtherTypes.end(), ascii_lower(text)) == kOtherTypes.end();
}

std::string in_single_quotes(std::string_view text) {
  std::string quoted = replace_all(text, "'", "''");
  quoted.insert(quoted.begin(), '\'');
  quoted += '\'';
  return quoted;
}

std::string in_double_quotes(std::string_view text) {
  std::string quoted = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const auto [code, n_bytes] = character_at(text, at);
    if (code == '"' || code == '\\') {
      quoted += '\\';
      quoted += static_cast<char>(code);
    } else if (code == '\n' || code == '\t' || code == '\r') {
      quoted += code == '\n' ? "\\n" : code == '\t' ? "\\t" : "\\r";
    } else if (needs_escape(code)) {
      quoted += code <= 0xFF     ? fmt::format("\\x{:02X}", code)
                : code <= 0xFFFF ? fmt::format("\\u{:04X}", code)
                                 : fmt::format("\\U{:08X}", code);
    } else {
      quoted.append(text.substr(at, n_bytes));
    }
    at += n_bytes;
  }
  return quoted + '"';
}

template <class Json>
std::string yaml_scalar(const Json& node) {
  using Kind = nlohmann::json::value_t;
  switch (node.type()) {
    case Kind::null:
      return "null";
    case Kind::boolean:
      return node.template get<bool>() ? "true" : "false";
    case Kind::number_integer:
      return std::to_string(node.template get<std::int64_t>());
    case Kind::number_unsigned:
      return std::to_string(node.template get<std::uint64_t>());
    case Kind::number_float:
      return yaml_float(node.template get<typename Json::number_float_t>());
    case Kind::string:
      return yaml_string(node.template get_ref<const std::string&>());
    default:
      throw InternalError("not a YAML scalar");
  }
}

template <class Json>
bool is_on_one_line(const Json& node) {
  return !node.is_structured() || node.empty() ||
         (node.is_array() && std::all_of(node.begin(), node.end(),
                                         [](const Json& e) { return e.is_number_integer(); }));
}

template <class Json>
std::string one_line(const Json& node) {
  if (!node.is_structured()) {
    return yaml_scalar(node);
  }
  if (node.is_object()) {
    return "{}";
  }
  std::string line = "[";
  for (const Json& element : node) {
    line.append(line.size() > 1 ? ", " : "").append(yaml_scalar(element));
  }
  return line + "]";
}

template <class Json>
void append_mapping(std::string* out, const Json& mapping, int indent, bool is_first_line_begun);

// The elements at `indent`, each behind "- "; what an element holds stands two columns deeper.
template <class Json>
void append_list(std::string* out, const Json& list, int indent, bool is_first_line_begun) {
  for (const Json& element : list) {
    out->append(is_first_line_begun ? 0 : static_cast<std::size_t>(indent), ' ');
    is_first_line_begun = false;
    *out += "- ";
    if (is_on_one_line(element)) {
      *out += one_line(element) + "\n";
    } else if (element.is_object()) {
      append_mapping(out, element, indent + 2, true);
    } else {
      append_list(out, element, indent + 2, true);
    }
  }
}

template <class Json>
void append_mapping(std::string* out, const Json& mapping, int indent, bool is_first_line_begun) {
  for (const auto& [name, node] : mapping.items()) {
    out->append(is_first_line_begun ? 0 : static_cast<std::size_t>(indent), ' ');
    is_first_line_begun = false;
    const std::string key = yaml_string(name);
    const bool is_long = key.size() > kLongestSimpleKey;
    if (is_long) {
      out->append("? ").append(key).append("\n");
      out->append(static_cast<std::size_t>(indent), ' ');
    } else {
      *out += key;
    }
    *out += ":";
    if (is_on_one_line(node)) {
      out->append(" ").append(one_line(node)).append("\n");
      continue;
    }
    *out += is_long ? " " : "\n";
    const int list_indent = is_long ? indent + 2 : indent;
    node.is_object() ? append_mapping(out, node, indent + 2, is_long)
                     : append_list(out, node, list_indent, is_long);
  }
}

}  // namespace

std::string yaml_string(std::string_view text) {
  LABELPROBE_CHECK(is_utf8(text));
  for (std::size_t at = 0; at < text.size(); at += length_at(text, at)) {
    if (needs_escape(character_at(text, at).code)) {
      return in_double_quotes(text);
    }
  }
  return is_safe_plain(text) ? std::string(text) : in_single_quotes(text);
}

template <class Json>
void append_yaml_entries(std::string* out, const Json& mapping, int indent) {
  LABELPROBE_CHECK(mapping.is_object() && !mapping.empty());
  append_mapping(out, mapping, indent, false);
}

template void append_yaml_entries(std::string*, const nlohmann::json&, int);
template void append_yaml_entries(std::string*, const JsonF32&, int);

}  // namespace labelprobe::files
