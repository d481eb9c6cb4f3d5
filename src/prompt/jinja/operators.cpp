// Operators, attributes, items and slices.
#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "labelprobe/core/utf8.h"

#include "prompt/jinja/runtime.h"
#include "prompt/jinja/text_functions.h"

namespace labelprobe::prompt::jinja {

namespace {

[[noreturn]] void refuse_pair(std::string_view word, const Value& a, const Value& b) {
  const auto shown = [](const Value& value) {
    const auto* undefined = value.as<Undefined>();
    return undefined ? undefined->what : std::string(value.kind());
  };
  throw TemplateError(fmt::format("'{}': expected values that it takes, found {} and {}", word,
                                  shown(a), shown(b)));
}

std::int64_t as_integer(const Value& value) {
  const bool* truth = value.as<bool>();
  return truth ? (*truth ? 1 : 0) : *value.as<std::int64_t>();
}

Value of_integers(std::string_view word, std::int64_t a, std::int64_t b) {
  std::int64_t made = 0;
  bool overflows = false;
  if (word == "+") {
    overflows = __builtin_add_overflow(a, b, &made);
  } else if (word == "-") {
    overflows = __builtin_sub_overflow(a, b, &made);
  } else if (word == "*") {
    overflows = __builtin_mul_overflow(a, b, &made);
  } else if (b == 0) {
    throw TemplateError(fmt::format("'{}': division by zero", word));
  } else if (b == -1) {
    overflows = word == "//" && a == std::numeric_limits<std::int64_t>::min();
    made = word == "//" && !overflows ? -a : 0;
  } else {
    const std::int64_t rest = a % b;
    const bool is_off = rest != 0 && (rest < 0) != (b < 0);
    made = word == "%" ? rest + (is_off ? b : 0) : a / b - (is_off ? 1 : 0);
  }
  if (overflows) throw TemplateError("expected integers of 64 bits, found a larger one");
  return Value(made);
}

Value of_numbers(std::string_view word, const Value& a, const Value& b) {
  const double left = as_double(a);
  const double right = as_double(b);
  const bool are_integers = !a.is<double>() && !b.is<double>();
  if (word == "**") {
    const double power = std::pow(left, right);
    const bool is_whole = are_integers && right >= 0 && std::abs(power) < 9e15;
    return is_whole ? Value(static_cast<std::int64_t>(power)) : Value(power);
  }
  if (are_integers && word != "/") return of_integers(word, as_integer(a), as_integer(b));
  if (word == "+") return Value(left + right);
  if (word == "-") return Value(left - right);
  if (word == "*") return Value(left * right);
  if (right == 0) throw TemplateError(fmt::format("'{}': division by zero", word));
  if (word == "/") return Value(left / right);
  if (word == "//") return Value(std::floor(left / right));
  return Value(left - right * std::floor(left / right));
}

Value repeated(const Value& value, std::int64_t n, Runtime& runtime) {
  const auto n_times = static_cast<std::size_t>(std::max<std::int64_t>(n, 0));
  if (const Text* text = value.text()) {
    Text made;
    for (std::size_t i = 0; i < n_times && text->size() > 0; ++i) {
      runtime.budget.spend_bytes(text->size());
      runtime.budget.spend_steps(1 + text->origins().size());
      made.append(*text);
    }
    return Value::text(std::move(made));
  }
  std::vector<Value> items;
  for (std::size_t i = 0; i < n_times && !value.list()->items.empty(); ++i) {
    runtime.budget.spend_steps(value.list()->items.size());
    items.insert(items.end(), value.list()->items.begin(), value.list()->items.end());
  }
  return Value::list(std::move(items), value.list()->is_tuple);
}

Value sum_of_texts(const Text& a, const Text& b, Runtime& runtime) {
  runtime.budget.spend_bytes(a.size() + b.size());
  runtime.budget.spend_steps(a.origins().size() + b.origins().size());
  Text made = a;
  made.append(b);
  return Value::text(std::move(made));
}

Value sum_of_lists(const List& a, const List& b, Runtime& runtime) {
  runtime.budget.spend_steps(a.items.size() + b.items.size());
  std::vector<Value> items = a.items;
  items.insert(items.end(), b.items.begin(), b.items.end());
  return Value::list(std::move(items), a.is_tuple);
}

Value loop_attribute(const Loop& loop, const std::string& name, Runtime& runtime) {
  const auto n_items = static_cast<std::int64_t>(loop.items->size());
  const auto index = static_cast<std::int64_t>(loop.index);
  if (name == "index") return Value(index + 1);
  if (name == "index0") return Value(index);
  if (name == "revindex") return Value(n_items - index);
  if (name == "revindex0") return Value(n_items - index - 1);
  if (name == "first") return Value(index == 0);
  if (name == "last") return Value(index + 1 == n_items);
  if (name == "length") return Value(n_items);
  if (name == "depth") return Value(std::int64_t{1});  // of recursive loops, which there are none
  if (name == "depth0") return Value(std::int64_t{0});
  if (name == "previtem" && index > 0) return (*loop.items)[loop.index - 1];
  if (name == "nextitem" && index + 1 < n_items) return (*loop.items)[loop.index + 1];
  if (name == "previtem" || name == "nextitem") {
    return Value::undefined(fmt::format("there is no loop.{} here", name));
  }
  if (name != "cycle") throw TemplateError(fmt::format("loop.{} is not supported", name));
  return Value(std::make_shared<const Callable>(Callable{
      "loop.cycle", [index, &runtime](const Arguments& arguments) {
        const Given given("loop.cycle", arguments, runtime);
        const auto n_values = static_cast<std::int64_t>(arguments.positional.size());
        return n_values == 0 ? given.value(0, "values")
                             : arguments.positional[static_cast<std::size_t>(index % n_values)];
      }}));
}

Value missing(const Value& value, const std::string& key) {
  return Value::undefined(fmt::format("{} has no '{}'", value.kind(), key));
}

// Where a slice of n items begins and ends, as Python clips it.
struct Bounds {
  std::int64_t begin;
  std::int64_t end;
  std::int64_t step;
};

std::int64_t clipped(const Value& bound,
                     std::int64_t otherwise,
                     std::int64_t n,
                     std::int64_t step) {
  if (bound.is<None>()) return otherwise;
  if (!bound.is<std::int64_t>()) {
    throw TemplateError(fmt::format("expected integers in a slice, found {}", bound.kind()));
  }
  std::int64_t at = *bound.as<std::int64_t>();
  if (at < 0) at = at < -n ? -1 : at + n;
  return step > 0 ? std::clamp<std::int64_t>(at, 0, n) : std::clamp<std::int64_t>(at, -1, n - 1);
}

Bounds bounds_of(const Value& begin, const Value& end, const Value& step, std::int64_t n) {
  std::int64_t by = 1;
  if (!step.is<None>()) {
    if (!step.is<std::int64_t>() || *step.as<std::int64_t>() == 0) {
      throw TemplateError("expected an integer other than 0 as the step of a slice");
    }
    by = std::clamp<std::int64_t>(*step.as<std::int64_t>(), -n - 1, n + 1);
  }
  return {clipped(begin, by > 0 ? 0 : n - 1, n, by), clipped(end, by > 0 ? n : -1, n, by), by};
}

// Where the character at a place begins, or the text ends.
std::size_t byte_at(const std::string& bytes, std::int64_t place) {
  std::size_t at = 0;
  for (; place > 0 && at < bytes.size(); --place) at += length_at(bytes, at);
  return at;
}

Text text_slice(
    const Text& text, const Value& begin, const Value& end, const Value& step, Runtime& runtime) {
  const std::string& bytes = text.bytes();
  const Bounds bounds = bounds_of(begin, end, step, static_cast<std::int64_t>(n_characters(bytes)));
  runtime.budget.spend_bytes(bytes.size());
  if (bounds.step == 1) {
    return text.part(byte_at(bytes, bounds.begin),
                     byte_at(bytes, std::max(bounds.begin, bounds.end)));
  }
  const std::vector<Value> characters = characters_of(text, runtime.budget);
  Text made;
  for (std::int64_t i = bounds.begin; bounds.step > 0 ? i < bounds.end : i > bounds.end;
       i += bounds.step) {
    made.append(*characters[static_cast<std::size_t>(i)].text());
  }
  return made;
}

std::vector<Value> sliced(const std::vector<Value>& items,
                          const Value& begin,
                          const Value& end,
                          const Value& step,
                          Runtime& runtime) {
  const Bounds bounds = bounds_of(begin, end, step, static_cast<std::int64_t>(items.size()));
  std::vector<Value> made;
  for (std::int64_t i = bounds.begin; bounds.step > 0 ? i < bounds.end : i > bounds.end;
       i += bounds.step) {
    made.push_back(items[static_cast<std::size_t>(i)]);
  }
  runtime.budget.spend_steps(made.size());
  return made;
}

}  // namespace

Value arithmetic(std::string_view word, const Value& a, const Value& b, Runtime& runtime) {
  if (a.is_number() && b.is_number()) return of_numbers(word, a, b);
  if (word == "+" && a.text() && b.text()) return sum_of_texts(*a.text(), *b.text(), runtime);
  if (word == "+" && a.list() && b.list()) return sum_of_lists(*a.list(), *b.list(), runtime);
  if (word == "*" && (a.text() || a.list()) && b.is<std::int64_t>()) {
    return repeated(a, *b.as<std::int64_t>(), runtime);
  }
  if (word == "*" && a.is<std::int64_t>() && (b.text() || b.list())) {
    return repeated(b, *a.as<std::int64_t>(), runtime);
  }
  if (word == "%" && a.text()) {
    const bool is_tuple = b.list() && b.list()->is_tuple;
    return Value::text(
        percent_formatted(*a.text(), is_tuple ? b.list()->items : std::vector{b}, runtime.budget));
  }
  refuse_pair(word, a, b);
}

bool contains(const Value& series, const Value& needle, Runtime& runtime) {
  if (const Text* text = series.text()) {
    if (!needle.text()) refuse_pair("in", needle, series);
    runtime.budget.spend_steps(1 + text->size() / 64);
    return text->bytes().find(needle.text()->bytes()) != std::string::npos;
  }
  if (const Dict* dict = series.dict()) {
    runtime.budget.spend_steps(dict->items.size());
    return dict->find(needle) != nullptr;
  }
  if (const List* list = series.list()) {
    return std::any_of(list->items.begin(), list->items.end(),
                       [&](const Value& item) { return equal(item, needle, runtime.budget); });
  }
  if (series.is_undefined()) return false;
  refuse_pair("in", needle, series);
}

Value attribute_of(const Value& value, const std::string& name, Runtime& runtime) {
  if (const auto* undefined = value.as<Undefined>()) throw TemplateError(undefined->what);
  if (const auto* loop = value.as<std::shared_ptr<const Loop>>()) {
    return loop_attribute(**loop, name, runtime);
  }
  if (const auto* space = value.as<std::shared_ptr<Namespace>>()) {
    for (const auto& [own, member] : (*space)->members) {
      if (own == name) return member;
    }
    return missing(value, name);
  }
  if (auto method = method_of(value, name, runtime)) return std::move(*method);
  if (const Dict* dict = value.dict()) {
    runtime.budget.spend_steps(1 + dict->items.size() / 8);
    if (const Value* found = dict->find_text(name)) return *found;
  }
  return missing(value, name);
}

Value item_of(const Value& value, const Value& key, Runtime& runtime) {
  if (const auto* undefined = value.as<Undefined>()) throw TemplateError(undefined->what);
  if (const Dict* dict = value.dict()) {
    runtime.budget.spend_steps(1 + dict->items.size() / 8);
    if (const Value* found = dict->find(key)) return *found;
  }
  const auto* at = key.as<std::int64_t>();
  if (at && (value.list() || value.text())) {
    const auto n = static_cast<std::int64_t>(value.list() ? value.list()->items.size()
                                                          : n_characters(value.text()->bytes()));
    const std::int64_t place = *at < 0 ? *at + n : *at;
    if (place < 0 || place >= n) return missing(value, std::to_string(*at));
    if (value.list()) return value.list()->items[static_cast<std::size_t>(place)];
    const std::size_t begin = byte_at(value.text()->bytes(), place);
    runtime.budget.spend_bytes(begin + 1);
    return Value::text(value.text()->part(begin, begin + length_at(value.text()->bytes(), begin)));
  }
  if (key.text()) return attribute_of(value, key.text()->bytes(), runtime);
  return missing(value, std::string(key.kind()));
}

Value slice_of(
    const Value& value, const Value& begin, const Value& end, const Value& step, Runtime& runtime) {
  if (const Text* text = value.text()) {
    return Value::text(text_slice(*text, begin, end, step, runtime));
  }
  if (const List* list = value.list()) {
    return Value::list(sliced(list->items, begin, end, step, runtime), list->is_tuple);
  }
  if (value.is_undefined()) throw TemplateError(value.as<Undefined>()->what);
  throw TemplateError(fmt::format("expected a list or a text to slice, found {}", value.kind()));
}

Value call(const Value& function, const Arguments& arguments) {
  if (const auto* undefined = function.as<Undefined>()) throw TemplateError(undefined->what);
  const auto* callable = function.as<std::shared_ptr<const Callable>>();
  if (!callable) {
    throw TemplateError(fmt::format("expected a function to call, found {}", function.kind()));
  }
  return (*callable)->call(arguments);
}

}  // namespace labelprobe::prompt::jinja
