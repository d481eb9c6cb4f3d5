// Python's two ways to put values into a text.
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "prompt/jinja/text_functions.h"

namespace labelprobe::prompt::jinja {

namespace {

std::int64_t whole_number(const Value& value) {
  if (const auto* integer = value.as<std::int64_t>()) return *integer;
  // Not a number is not smaller than any.
  if (!value.is_number() || !(std::abs(as_double(value)) < 9e18)) {
    throw TemplateError(fmt::format("'%d': expected a number, found {}", value.kind()));
  }
  return static_cast<std::int64_t>(as_double(value));
}

// A field behind '%': the letter, and before 'f' the decimals. Moves `at` behind it.
void append_field(
    Text& made, const std::string& format, std::size_t& at, const Value& value, Budget& budget) {
  int n_decimals = 6;
  if (at + 1 < format.size() && format[at] == '.') {
    const char* end = format.data() + format.size();
    const auto read = std::from_chars(format.data() + at + 1, end, n_decimals);
    if (read.ec != std::errc() || n_decimals > 30 || n_decimals < 0) n_decimals = 6;
    at = static_cast<std::size_t>(read.ptr - format.data());
    if (at >= format.size() || format[at] != 'f') {
      throw TemplateError("'%.': only fields of a number, as %.2f, are supported");
    }
  }
  switch (at < format.size() ? format[at++] : ' ') {
    case 's':
      return append_string(made, value, budget);
    case 'r':
      return append_repr(made, value, budget);
    case 'd':
    case 'i':
      return made.append(std::to_string(whole_number(value)));
    case 'f':
      if (!value.is_number()) {
        throw TemplateError(fmt::format("'%f': expected a number, found {}", value.kind()));
      }
      return made.append(fmt::format("{:.{}f}", as_double(value), n_decimals));
    default:
      throw TemplateError("only the fields %s, %r, %d, %i, %f and %% of a format are supported");
  }
}

const Value& field_value(std::string_view name, std::size_t& n_taken, const Arguments& arguments) {
  std::size_t place = n_taken;
  bool is_place = name.empty();
  if (is_place) {
    ++n_taken;
  } else {
    is_place = std::from_chars(name.data(), name.data() + name.size(), place).ec == std::errc();
  }
  const Value* value = is_place && place >= arguments.positional.size()
                           ? nullptr
                           : arguments.find(is_place ? place : arguments.positional.size(), name);
  if (!value) {
    throw TemplateError(fmt::format(
        "format: expected a value for '{{{}}}', found none (only fields of a place or a name are "
        "supported)",
        name));
  }
  return *value;
}

}  // namespace

Text percent_formatted(const Text& format, const std::vector<Value>& values, Budget& budget) {
  const std::string& bytes = format.bytes();
  Text made;
  std::size_t kept = 0;
  std::size_t n_taken = 0;
  for (std::size_t at = 0; (at = bytes.find('%', at)) != std::string::npos;) {
    made.append(format.part(kept, at));
    budget.spend_steps(1);
    if (++at < bytes.size() && bytes[at] == '%') {
      made.append("%");
      ++at;
    } else if (n_taken == values.size()) {
      throw TemplateError("expected a value for every field of a format, found fewer");
    } else {
      append_field(made, bytes, at, values[n_taken++], budget);
    }
    kept = at;
  }
  if (n_taken < values.size()) {
    throw TemplateError("expected a field for every value of a format, found fewer");
  }
  made.append(format.part(kept, bytes.size()));
  return made;
}

Text brace_formatted(const Text& format, const Arguments& arguments, Budget& budget) {
  const std::string& bytes = format.bytes();
  Text made;
  std::size_t kept = 0;
  std::size_t n_taken = 0;
  for (std::size_t at = 0; (at = bytes.find_first_of("{}", at)) != std::string::npos;) {
    made.append(format.part(kept, at));
    budget.spend_steps(1);
    if (at + 1 < bytes.size() && bytes[at + 1] == bytes[at]) {
      made.append(std::string(1, bytes[at]));
      at += 2;
    } else {
      const std::size_t end = bytes.find('}', at);
      if (bytes[at] == '}' || end == std::string::npos) {
        throw TemplateError("format: expected braces in pairs, found a single one");
      }
      append_string(
          made,
          field_value(std::string_view(bytes).substr(at + 1, end - at - 1), n_taken, arguments),
          budget);
      at = end + 1;
    }
    kept = at;
  }
  made.append(format.part(kept, bytes.size()));
  return made;
}

}  // namespace labelprobe::prompt::jinja
