// Methods of texts, lists and mappings.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "labelprobe/core/utf8.h"

#include "prompt/jinja/runtime.h"
#include "prompt/jinja/text_functions.h"

namespace labelprobe::prompt::jinja {

namespace {

template <typename Self>
struct Call {
  const Self& self;
  const Arguments& arguments;
  const Given& given;
  Runtime& runtime;
};
using TextCall = Call<Text>;
using DictCall = Call<Dict>;
using ListCall = Call<List>;

template <typename Self>
struct Method {
  std::string_view name;
  Value (*run)(const Call<Self>&);
};

Value stripped(const TextCall& call, Side side) {
  const Value characters = call.given.value_or(0, "chars", Value());
  if (!characters.is<None>() && !characters.text()) call.given.refuse("characters", characters);
  return Value::text(strip(call.self, side, characters.text()));
}

Value split_parts(const TextCall& call, bool from_left) {
  call.given.allow({"sep", "maxsplit"});
  const std::int64_t n = call.given.integer_or(1, "maxsplit", -1);
  const bool has_separator = call.given.has(0, "sep") && !call.given.value(0, "sep").is<None>();
  if (!has_separator) {
    if (!from_left && n >= 0) throw TemplateError("rsplit: expected a separator, found none");
    return Value::list(split_words(call.self, n, call.runtime.budget));
  }
  const Text separator = call.given.text(0, "sep");
  auto* const split = from_left ? split_at : split_at_last;
  return Value::list(split(call.self, separator.bytes(), n, call.runtime.budget));
}

// startswith() and endswith(), which take one text or several.
Value has_end(const TextCall& call, bool at_begin) {
  call.given.allow({"prefix"});
  const Value& ends = call.given.value(0, "prefix");
  const auto fits = [&](const Value& end) {
    if (!end.text()) call.given.refuse("a text", end);
    const std::string& bytes = end.text()->bytes();
    return at_begin ? call.self.bytes().starts_with(bytes) : call.self.bytes().ends_with(bytes);
  };
  if (!ends.list()) return Value(fits(ends));
  return Value(std::any_of(ends.list()->items.begin(), ends.list()->items.end(), fits));
}

// find() and its kin: the place in characters, or -1.
Value found(const TextCall& call, bool from_left) {
  call.given.allow({"sub"});
  const std::string part = call.given.text(0, "sub").bytes();
  const std::string& bytes = call.self.bytes();
  const std::size_t at = from_left ? bytes.find(part) : bytes.rfind(part);
  if (at == std::string::npos) return Value(std::int64_t{-1});
  return Value(static_cast<std::int64_t>(n_characters(std::string_view(bytes).substr(0, at))));
}

Value counted(const TextCall& call) {
  const Text part = call.given.text(0, "sub");
  if (part.size() == 0)
    return Value(static_cast<std::int64_t>(n_characters(call.self.bytes()) + 1));
  const auto parts = split_at(call.self, part.bytes(), -1, call.runtime.budget);
  return Value(static_cast<std::int64_t>(parts.size()) - 1);
}

// Whether there are characters and all are of a kind that is ASCII's.
Value all_are(const TextCall& call, bool (*is_of_kind)(char)) {
  const std::string& bytes = call.self.bytes();
  return Value(!bytes.empty() && std::all_of(bytes.begin(), bytes.end(), is_of_kind));
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

Value without_end(const TextCall& call, bool at_begin) {
  const std::string end = call.given.text(0, "prefix").bytes();
  const std::size_t n = call.self.size();
  const bool has = at_begin ? call.self.bytes().starts_with(end) : call.self.bytes().ends_with(end);
  if (!has) return Value::text(call.self);
  return Value::text(at_begin ? call.self.part(end.size(), n) : call.self.part(0, n - end.size()));
}

constexpr std::array kTextMethods = {
    Method<Text>{"strip", [](const TextCall& c) { return stripped(c, Side::Both); }},
    Method<Text>{"lstrip", [](const TextCall& c) { return stripped(c, Side::Left); }},
    Method<Text>{"rstrip", [](const TextCall& c) { return stripped(c, Side::Right); }},
    Method<Text>{"split", [](const TextCall& c) { return split_parts(c, true); }},
    Method<Text>{"rsplit", [](const TextCall& c) { return split_parts(c, false); }},
    Method<Text>{"splitlines",
                 [](const TextCall& c) {
                   c.given.allow({});
                   return Value::list(split_lines(c.self, c.runtime.budget));
                 }},
    Method<Text>{"startswith", [](const TextCall& c) { return has_end(c, true); }},
    Method<Text>{"endswith", [](const TextCall& c) { return has_end(c, false); }},
    Method<Text>{"replace",
                 [](const TextCall& c) {
                   c.given.allow({"old", "new", "count"});
                   return Value::text(
                       replaced(c.self, c.given.text(0, "old"), c.given.text(1, "new"),
                                c.given.integer_or(2, "count", -1), c.runtime.budget));
                 }},
    Method<Text>{"upper", [](const TextCall& c) { return Value::text(upper(c.self)); }},
    Method<Text>{"lower", [](const TextCall& c) { return Value::text(lower(c.self)); }},
    Method<Text>{"title",
                 [](const TextCall& c) { return Value::text(titled(c.self, Words::Letters)); }},
    Method<Text>{"capitalize", [](const TextCall& c) { return Value::text(capitalized(c.self)); }},
    Method<Text>{"find", [](const TextCall& c) { return found(c, true); }},
    Method<Text>{"rfind", [](const TextCall& c) { return found(c, false); }},
    Method<Text>{"count", counted},
    Method<Text>{"join",
                 [](const TextCall& c) {
                   c.given.allow({"iterable"});
                   const auto items = items_of(c.given.value(0, "iterable"), c.runtime.budget);
                   return Value::text(joined(items, c.self, c.runtime.budget));
                 }},
    Method<Text>{"format",
                 [](const TextCall& c) {
                   return Value::text(brace_formatted(c.self, c.arguments, c.runtime.budget));
                 }},
    Method<Text>{"isdigit", [](const TextCall& c) { return all_are(c, is_digit); }},
    Method<Text>{"isalpha", [](const TextCall& c) { return all_are(c, is_letter); }},
    Method<Text>{"isspace",
                 [](const TextCall& c) {
                   return Value(c.self.size() > 0 &&
                                strip(c.self, Side::Left, nullptr).size() == 0);
                 }},
    Method<Text>{"removeprefix", [](const TextCall& c) { return without_end(c, true); }},
    Method<Text>{"removesuffix", [](const TextCall& c) { return without_end(c, false); }},
};

std::vector<Value> pairs_of(const Dict& dict) {
  std::vector<Value> pairs;
  for (const auto& [key, value] : dict.items) {
    pairs.push_back(Value::list({key, value}, /*is_tuple=*/true));
  }
  return pairs;
}

constexpr std::array kDictMethods = {
    Method<Dict>{"get",
                 [](const DictCall& c) {
                   c.given.allow({"key", "default"});
                   const Value* found = c.self.find(c.given.value(0, "key"));
                   return found ? *found : c.given.value_or(1, "default", Value());
                 }},
    Method<Dict>{"items", [](const DictCall& c) { return Value::list(pairs_of(c.self)); }},
    Method<Dict>{"keys",
                 [](const DictCall& c) {
                   std::vector<Value> keys;
                   for (const auto& [key, value] : c.self.items) keys.push_back(key);
                   return Value::list(std::move(keys));
                 }},
    Method<Dict>{"values",
                 [](const DictCall& c) {
                   std::vector<Value> values;
                   for (const auto& [key, value] : c.self.items) values.push_back(value);
                   return Value::list(std::move(values));
                 }},
    Method<Dict>{"copy", [](const DictCall& c) { return Value::dict(c.self.items); }},
};

constexpr std::array kListMethods = {
    Method<List>{"index",
                 [](const ListCall& c) {
                   const auto& items = c.self.items;
                   for (std::size_t i = 0; i < items.size(); ++i) {
                     if (equal(items[i], c.given.value(0, "value"), c.runtime.budget)) {
                       return Value(static_cast<std::int64_t>(i));
                     }
                   }
                   throw TemplateError("index: expected a list with the value, found one without");
                 }},
    Method<List>{"count",
                 [](const ListCall& c) {
                   const auto& items = c.self.items;
                   return Value(static_cast<std::int64_t>(
                       std::count_if(items.begin(), items.end(), [&](const Value& item) {
                         return equal(item, c.given.value(0, "value"), c.runtime.budget);
                       })));
                 }},
    Method<List>{"copy", [](const ListCall& c) { return Value::list(c.self.items); }},
};

// Methods that Python has and templates here have not: to call one is an error, not nothing.
constexpr std::array<std::string_view, 24> kMissingOfText = {
    "index",        "rindex",     "center",      "ljust",     "rjust",     "zfill",
    "partition",    "rpartition", "expandtabs",  "encode",    "casefold",  "swapcase",
    "isalnum",      "isupper",    "islower",     "istitle",   "isdecimal", "isnumeric",
    "isidentifier", "isascii",    "isprintable", "translate", "maketrans", "format_map"};
constexpr std::array<std::string_view, 6> kMissingOfDict = {"pop",        "popitem", "update",
                                                            "setdefault", "clear",   "fromkeys"};
constexpr std::array<std::string_view, 8> kMissingOfList = {"append", "extend", "insert",  "pop",
                                                            "remove", "clear",  "reverse", "sort"};

template <typename Names>
std::optional<Value> refused(const Names& names, const std::string& name, std::string_view why) {
  if (std::find(names.begin(), names.end(), name) == names.end()) return std::nullopt;
  std::string message = fmt::format("the method {}() is not supported{}", name, why);
  return Value(std::make_shared<const Callable>(
      Callable{name, [message = std::move(message)](const Arguments&) -> Value {
                 throw TemplateError(message);
               }}));
}

template <typename Self, typename Rows>
std::optional<Value> bound(const Rows& rows,
                           const std::string& name,
                           const std::shared_ptr<const Self>& self,
                           Runtime& runtime) {
  for (const Method<Self>& row : rows) {
    if (row.name != name) continue;
    return Value(std::make_shared<const Callable>(
        Callable{name, [self, &row, &runtime](const Arguments& arguments) {
                   const Given given(row.name, arguments, runtime);
                   runtime.budget.spend_steps(1);
                   return row.run({*self, arguments, given, runtime});
                 }}));
  }
  return std::nullopt;
}

constexpr std::string_view kUnchanging =
    ": lists and mappings cannot be changed in a chat template";

}  // namespace

std::optional<Value> method_of(const Value& value, const std::string& name, Runtime& runtime) {
  if (const auto* text = value.as<TextPtr>()) {
    auto method = bound<Text>(kTextMethods, name, *text, runtime);
    return method ? method : refused(kMissingOfText, name, "");
  }
  if (const auto* dict = value.as<DictPtr>()) {
    auto method = bound<Dict>(kDictMethods, name, *dict, runtime);
    return method ? method : refused(kMissingOfDict, name, kUnchanging);
  }
  if (const auto* list = value.as<ListPtr>()) {
    auto method = bound<List>(kListMethods, name, *list, runtime);
    return method ? method : refused(kMissingOfList, name, kUnchanging);
  }
  return std::nullopt;
}

}  // namespace labelprobe::prompt::jinja
