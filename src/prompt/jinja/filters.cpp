// What stands behind '|'.
#include "prompt/jinja/filters.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"

#include "prompt/jinja/text_functions.h"

namespace labelprobe::prompt::jinja {

namespace {

Text text_of(const FilterCall& call) {
  return to_text(call.value, call.runtime.budget);
}

Value trim(const FilterCall& call) {
  call.given.allow({"chars"});
  const Value characters = call.given.value_or(0, "chars", Value());
  if (!characters.is<None>() && !characters.text()) call.given.refuse("characters", characters);
  return Value::text(strip(text_of(call), Side::Both, characters.text()));
}

Value to_json(const FilterCall& call) {
  call.given.allow({"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.is_ascii = call.given.truth_or(0, "ensure_ascii", false);
  const Value indent = call.given.value_or(1, "indent", Value());
  if (!indent.is<None>()) {
    style.indent =
        static_cast<int>(std::clamp<std::int64_t>(call.given.integer_or(1, "indent", 0), 0, 1000));
    style.item_separator = std::string(1, ',');
  }
  const Value separators = call.given.value_or(2, "separators", Value());
  if (!separators.is<None>()) {
    const List* pair = separators.list();
    if (!pair || pair->items.size() != 2 || !pair->items[0].text() || !pair->items[1].text()) {
      call.given.refuse("two texts as 'separators'", separators);
    }
    style.item_separator = pair->items[0].text()->bytes();
    style.key_separator = pair->items[1].text()->bytes();
  }
  style.sorts_keys = call.given.truth_or(3, "sort_keys", false);
  Text out;
  append_json(out, call.value, style, call.runtime.budget);
  return Value::text(std::move(out));
}

Value default_of(const FilterCall& call) {
  call.given.allow({"default_value", "boolean"});
  const bool is_missing = call.value.is_undefined() ||
                          (call.given.truth_or(1, "boolean", false) && !call.value.is_true());
  return is_missing ? call.given.value_or(0, "default_value", Value::text("")) : call.value;
}

Value length_of(const FilterCall& call) {
  if (const Text* text = call.value.text()) {
    return Value(static_cast<std::int64_t>(n_characters(text->bytes())));
  }
  if (!call.value.list() && !call.value.dict() && !call.value.is_undefined()) {
    call.given.refuse("a list, a mapping or a text", call.value);
  }
  return Value(static_cast<std::int64_t>(items_of(call.value, call.runtime.budget).size()));
}

Value replace(const FilterCall& call) {
  call.given.allow({"old", "new", "count"});
  return Value::text(replaced(text_of(call), call.given.text(0, "old"), call.given.text(1, "new"),
                              call.given.integer_or(2, "count", -1), call.runtime.budget));
}

Value indent(const FilterCall& call) {
  call.given.allow({"width", "first", "blank"});
  const Value width = call.given.value_or(0, "width", Value(std::int64_t{4}));
  const std::string blanks = width.text()
                                 ? width.text()->bytes()
                                 : std::string(static_cast<std::size_t>(std::clamp<std::int64_t>(
                                                   call.given.integer_or(0, "width", 4), 0, 1000)),
                                               ' ');
  return Value::text(indented(text_of(call), blanks, call.given.truth_or(1, "first", false),
                              call.given.truth_or(2, "blank", false), call.runtime.budget));
}

Value to_integer(const FilterCall& call) {
  call.given.allow({"default"});
  const Value otherwise = call.given.value_or(0, "default", Value(std::int64_t{0}));
  if (call.value.is<std::int64_t>()) return call.value;
  if (const bool* truth = call.value.as<bool>()) return Value(std::int64_t{*truth ? 1 : 0});
  double number = 0;
  if (const auto* held = call.value.as<double>()) {
    number = *held;
  } else if (call.value.text()) {
    const Text text = strip(*call.value.text(), Side::Both, nullptr);
    char* end = nullptr;
    number = std::strtod(text.bytes().c_str(), &end);
    if (text.size() == 0 || *end != '\0') return otherwise;
  } else {
    return otherwise;
  }
  return std::abs(number) < 9e15 ? Value(static_cast<std::int64_t>(number)) : otherwise;
}

Value to_float(const FilterCall& call) {
  call.given.allow({"default"});
  if (call.value.is_number()) return Value(as_double(call.value));
  const Value otherwise = call.given.value_or(0, "default", Value(0.0));
  if (!call.value.text()) return otherwise;
  const Text text = strip(*call.value.text(), Side::Both, nullptr);
  char* end = nullptr;
  const double number = std::strtod(text.bytes().c_str(), &end);
  return text.size() == 0 || *end != '\0' ? otherwise : Value(number);
}

Value absolute(const FilterCall& call) {
  if (!call.value.is_number()) call.given.refuse("a number", call.value);
  if (call.value.is<double>()) return Value(std::abs(as_double(call.value)));
  const auto* integer = call.value.as<std::int64_t>();
  if (!integer) return Value(static_cast<std::int64_t>(as_double(call.value)));  // true or false
  if (*integer == std::numeric_limits<std::int64_t>::min()) {
    throw TemplateError("abs: expected integers of 64 bits, found a larger one");
  }
  return Value(std::abs(*integer));
}

Value rounded(const FilterCall& call) {
  call.given.allow({"precision", "method"});
  if (!call.value.is_number()) call.given.refuse("a number", call.value);
  if (call.given.has(1, "method") && call.given.text(1, "method").bytes() != "common") {
    throw TemplateError("round: only the method 'common' is supported");
  }
  const auto n = std::clamp<std::int64_t>(call.given.integer_or(0, "precision", 0), 0, 15);
  return Value(std::strtod(fmt::format("{:.{}f}", as_double(call.value), n).c_str(), nullptr));
}

Value format(const FilterCall& call) {
  return Value::text(
      percent_formatted(text_of(call), call.arguments.positional, call.runtime.budget));
}

template <Text (*change)(const Text&)>
Value changed(const FilterCall& call) {
  call.runtime.budget.spend_bytes(call.value.text() ? call.value.text()->size() : 0);
  return Value::text(change(text_of(call)));
}

constexpr std::array kTextFilters = {
    FilterRow{"trim", trim},
    FilterRow{"upper", changed<upper>},
    FilterRow{"lower", changed<lower>},
    FilterRow{"capitalize", changed<capitalized>},
    FilterRow{"title",
              [](const FilterCall& c) { return Value::text(titled(text_of(c), Words::Spaced)); }},
    FilterRow{"string", [](const FilterCall& c) { return Value::text(text_of(c)); }},
    FilterRow{"safe", [](const FilterCall& c) { return Value::text(text_of(c)); }},
    FilterRow{"tojson", to_json},
    FilterRow{"default", default_of},
    FilterRow{"d", default_of},
    FilterRow{"length", length_of},
    FilterRow{"count", length_of},
    FilterRow{"replace", replace},
    FilterRow{"indent", indent},
    FilterRow{"int", to_integer},
    FilterRow{"float", to_float},
    FilterRow{"abs", absolute},
    FilterRow{"round", rounded},
    FilterRow{"format", format},
};

}  // namespace

Value call_filter(const std::string& name,
                  const Value& value,
                  const Arguments& arguments,
                  Runtime& runtime) {
  runtime.budget.spend_steps(1);
  const Given given(name, arguments, runtime);
  const FilterCall call{value, arguments, given, runtime};
  for (const FilterRow& row : kTextFilters) {
    if (row.name == name) return row.run(call);
  }
  for (const FilterRow& row : list_filters()) {
    if (row.name == name) return row.run(call);
  }
  std::vector<std::string> names;
  for (const FilterRow& row : kTextFilters) names.emplace_back(row.name);
  for (const FilterRow& row : list_filters()) names.emplace_back(row.name);
  throw TemplateError(unknown_choice("filter", name, names));
}

}  // namespace labelprobe::prompt::jinja
