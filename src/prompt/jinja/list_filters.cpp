// Filters that make lists, or take them.
#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

#include "prompt/jinja/filters.h"
#include "prompt/jinja/text_functions.h"

namespace labelprobe::prompt::jinja {

namespace {

std::vector<Value> items(const FilterCall& call) {
  return items_of(call.value, call.runtime.budget);
}

// As Jinja has it, select and map take anything that counts as false for an empty list.
std::vector<Value> items_or_none(const FilterCall& call) {
  return call.value.is_true() ? items(call) : std::vector<Value>();
}

// The attribute at a path: names and places with dots between them.
Value at_path(const Value& value, const Value& path, Runtime& runtime) {
  if (!path.text()) return item_of(value, path, runtime);
  Value found = value;
  for (const Value& part : split_at(*path.text(), ".", -1, runtime.budget)) {
    const std::string& name = part.text()->bytes();
    std::int64_t place = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), place);
    const bool is_place = read.ec == std::errc() && read.ptr == name.data() + name.size();
    found = item_of(found, is_place ? Value(place) : part, runtime);
  }
  return found;
}

// The arguments behind the first n.
Arguments rest_of(const Arguments& arguments, std::size_t n) {
  Arguments rest;
  rest.named = arguments.named;
  for (std::size_t i = n; i < arguments.positional.size(); ++i) {
    rest.positional.push_back(arguments.positional[i]);
  }
  return rest;
}

// select, reject, selectattr, rejectattr: the items for which a test holds, or does not.
Value chosen(const FilterCall& call, bool by_attribute, bool holds) {
  const std::size_t n_own = by_attribute ? 1 : 0;
  const bool has_test = call.arguments.positional.size() > n_own;
  const std::string test = has_test ? call.given.text(n_own, "test").bytes() : "";
  const Arguments rest = rest_of(call.arguments, n_own + 1);
  std::vector<Value> kept;
  for (const Value& item : items_or_none(call)) {
    const Value shown =
        by_attribute ? at_path(item, call.given.value(0, "attribute"), call.runtime) : item;
    const bool fits = has_test ? call_test(test, shown, rest, call.runtime) : shown.is_true();
    if (fits == holds) kept.push_back(item);
  }
  return Value::list(std::move(kept));
}

Value map(const FilterCall& call) {
  std::vector<Value> made;
  if (call.arguments.positional.empty()) {
    call.given.allow({"attribute", "default"});
    const Value otherwise = call.given.value_or(1, "default", Value::undefined("no attribute"));
    for (const Value& item : items_or_none(call)) {
      const Value found = at_path(item, call.given.value(0, "attribute"), call.runtime);
      made.push_back(found.is_undefined() && call.given.has(1, "default") ? otherwise : found);
    }
    return Value::list(std::move(made));
  }
  const std::string filter = call.given.text(0, "filter").bytes();
  const Arguments rest = rest_of(call.arguments, 1);
  for (const Value& item : items_or_none(call)) {
    made.push_back(call_filter(filter, item, rest, call.runtime));
  }
  return Value::list(std::move(made));
}

Value join(const FilterCall& call) {
  call.given.allow({"d", "attribute"});
  std::vector<Value> parts = items(call);
  if (call.given.has(1, "attribute")) {
    for (Value& part : parts) part = at_path(part, call.given.value(1, "attribute"), call.runtime);
  }
  const Value separator = call.given.value_or(0, "d", Value::text(""));
  return Value::text(joined(parts, to_text(separator, call.runtime.budget), call.runtime.budget));
}

Value pairs(const FilterCall& call) {
  if (call.value.is_undefined()) return Value::list({});
  if (!call.value.dict()) call.given.refuse("a mapping", call.value);
  return ::labelprobe::prompt::jinja::call(*method_of(call.value, "items", call.runtime), {});
}

// Sorting spends a step for every comparison; small and capital letters count as equal unless
// asked.
struct Order {
  bool minds_case = false;
  bool is_reversed = false;
  Runtime& runtime;

  Value key_of(const Value& value) const {
    return value.text() && !minds_case ? Value::text(lower(*value.text())) : value;
  }

  template <typename KeyOf>
  void sort(std::vector<Value>& values, const KeyOf& key) const {
    std::vector<std::pair<Value, Value>> keyed;
    for (const Value& value : values) keyed.emplace_back(key_of(key(value)), value);
    std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
      return is_reversed ? less(b.first, a.first, runtime.budget)
                         : less(a.first, b.first, runtime.budget);
    });
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = keyed[i].second;
  }
};

Value dictsort(const FilterCall& call) {
  call.given.allow({"case_sensitive", "by", "reverse"});
  const Order order{call.given.truth_or(0, "case_sensitive", false),
                    call.given.truth_or(2, "reverse", false), call.runtime};
  const bool by_value = call.given.has(1, "by") && call.given.text(1, "by").bytes() == "value";
  std::vector<Value> sorted = pairs(call).list()->items;
  order.sort(sorted, [&](const Value& pair) { return pair.list()->items[by_value ? 1 : 0]; });
  return Value::list(std::move(sorted));
}

Value sort(const FilterCall& call) {
  call.given.allow({"reverse", "case_sensitive", "attribute"});
  const Order order{call.given.truth_or(1, "case_sensitive", false),
                    call.given.truth_or(0, "reverse", false), call.runtime};
  std::vector<Value> sorted = items(call);
  order.sort(sorted, [&](const Value& item) {
    return call.given.has(2, "attribute")
               ? at_path(item, call.given.value(2, "attribute"), call.runtime)
               : item;
  });
  return Value::list(std::move(sorted));
}

Value unique(const FilterCall& call) {
  call.given.allow({"case_sensitive"});
  const Order order{call.given.truth_or(0, "case_sensitive", false), false, call.runtime};
  std::vector<Value> keys;
  std::vector<Value> kept;
  for (const Value& item : items(call)) {
    const Value key = order.key_of(item);
    const bool is_known = std::any_of(keys.begin(), keys.end(), [&](const Value& known) {
      return equal(known, key, call.runtime.budget);
    });
    if (is_known) continue;
    keys.push_back(key);
    kept.push_back(item);
  }
  return Value::list(std::move(kept));
}

Value at_end(const FilterCall& call, bool at_begin) {
  const std::vector<Value> held = items(call);
  if (held.empty()) return Value::undefined("there is no item in an empty list");
  return at_begin ? held.front() : held.back();
}

Value reversed(const FilterCall& call) {
  std::vector<Value> made = items(call);
  std::reverse(made.begin(), made.end());
  if (!call.value.text()) return Value::list(std::move(made));
  return Value::text(joined(made, Text(), call.runtime.budget));
}

Value extreme(const FilterCall& call, bool is_least) {
  std::vector<Value> held = items(call);
  if (held.empty()) return Value::undefined("there is no item in an empty list");
  Value best = held.front();
  for (const Value& item : held) {
    if (is_least ? less(item, best, call.runtime.budget) : less(best, item, call.runtime.budget)) {
      best = item;
    }
  }
  return best;
}

Value sum(const FilterCall& call) {
  call.given.allow({"attribute", "start"});
  Value total = call.given.value_or(1, "start", Value(std::int64_t{0}));
  const Value path = call.given.value_or(0, "attribute", Value());
  for (const Value& item : items(call)) {
    total = arithmetic("+", total, path.is<None>() ? item : at_path(item, path, call.runtime),
                       call.runtime);
  }
  return total;
}

constexpr std::array kListFilters = {
    FilterRow{"list", [](const FilterCall& c) { return Value::list(items(c)); }},
    FilterRow{"items", pairs},
    FilterRow{"dictsort", dictsort},
    FilterRow{"sort", sort},
    FilterRow{"unique", unique},
    FilterRow{"map", map},
    FilterRow{"join", join},
    FilterRow{"select", [](const FilterCall& c) { return chosen(c, false, true); }},
    FilterRow{"reject", [](const FilterCall& c) { return chosen(c, false, false); }},
    FilterRow{"selectattr", [](const FilterCall& c) { return chosen(c, true, true); }},
    FilterRow{"rejectattr", [](const FilterCall& c) { return chosen(c, true, false); }},
    FilterRow{"first", [](const FilterCall& c) { return at_end(c, true); }},
    FilterRow{"last", [](const FilterCall& c) { return at_end(c, false); }},
    FilterRow{"reverse", reversed},
    FilterRow{"min", [](const FilterCall& c) { return extreme(c, true); }},
    FilterRow{"max", [](const FilterCall& c) { return extreme(c, false); }},
    FilterRow{"sum", sum},
};

}  // namespace

std::span<const FilterRow> list_filters() {
  return kListFilters;
}

}  // namespace labelprobe::prompt::jinja
