// The functions that every template has.
#include <algorithm>
#include <array>
#include <ctime>

#include <fmt/format.h>

#include "labelprobe/core/limits.h"

#include "prompt/jinja/runtime.h"

namespace labelprobe::prompt::jinja {

namespace {

Value range(const Arguments& arguments, Runtime& runtime) {
  const Given given("range", arguments, runtime);
  given.allow({"start", "stop", "step"});
  const bool has_stop = given.has(1, "stop");
  const std::int64_t first = given.integer_or(0, "start", 0);
  const std::int64_t begin = has_stop ? first : 0;
  const std::int64_t end = has_stop ? given.integer_or(1, "stop", 0) : first;
  const std::int64_t step = given.integer_or(2, "step", 1);
  if (step == 0) throw TemplateError("range: expected a step other than 0, found 0");
  std::vector<Value> items;
  for (std::int64_t i = begin; step > 0 ? i < end : i > end;) {
    if (static_cast<std::int64_t>(items.size()) == limits::kTemplateRange) {
      throw TemplateError(
          fmt::format("range: expected at most {} numbers, found more", limits::kTemplateRange));
    }
    items.emplace_back(i);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  runtime.budget.spend_steps(items.size());
  return Value::list(std::move(items));
}

// The pairs of dict(..) and namespace(..): those of a mapping, and those with a name.
std::vector<std::pair<Value, Value>> pairs_of(const Given& given, const Arguments& arguments) {
  std::vector<std::pair<Value, Value>> pairs;
  if (!arguments.positional.empty()) {
    const Dict* dict = arguments.positional.front().dict();
    if (!dict) given.refuse("a mapping", arguments.positional.front());
    pairs = dict->items;
  }
  for (const auto& [name, value] : arguments.named) {
    const auto same = [&wanted = name](const auto& pair) {
      return pair.first.text() && pair.first.text()->bytes() == wanted;
    };
    const auto old = std::find_if(pairs.begin(), pairs.end(), same);
    if (old != pairs.end()) {
      old->second = value;
    } else {
      pairs.emplace_back(Value::text(name), value);
    }
  }
  return pairs;
}

Value make_dict(const Arguments& arguments, Runtime& runtime) {
  return Value::dict(pairs_of(Given("dict", arguments, runtime), arguments));
}

Value make_namespace(const Arguments& arguments, Runtime& runtime) {
  auto space = std::make_shared<Namespace>();
  const Given given("namespace", arguments, runtime);
  for (const auto& [key, value] : pairs_of(given, arguments)) {
    if (!key.text()) given.refuse("texts as keys", key);
    space->members.emplace_back(key.text()->bytes(), value);
  }
  constexpr std::size_t kCost = 64;  // it stays until the end
  runtime.budget.spend_steps(kCost);
  runtime.namespaces.push_back(space);
  return Value(std::move(space));
}

Value raise_exception(const Arguments& arguments, Runtime& runtime) {
  const Given given("raise_exception", arguments, runtime);
  throw TemplateError(fmt::format("the template refuses this chat: {}",
                                  to_text(given.value(0, "message"), runtime.budget).bytes()));
}

Value strftime_now(const Arguments& arguments, Runtime& runtime) {
  const Given given("strftime_now", arguments, runtime);
  const std::string format = given.text(0, "format").bytes();
  std::tm date{};
  date.tm_year = kTemplateYear - 1900;
  date.tm_mon = kTemplateMonth - 1;
  date.tm_mday = kTemplateDay;
  date.tm_isdst = 0;
  timegm(&date);  // fills in the days of the week and of the year
  std::array<char, 1024> buffer{};
  // NOLINTNEXTLINE: the format is the template's, and what it makes is bounded
  const std::size_t n = std::strftime(buffer.data(), buffer.size(), format.c_str(), &date);
  if (n == 0 && !format.empty()) {
    throw TemplateError("strftime_now: expected a format that makes at most 1,023 bytes");
  }
  return Value::text(std::string(buffer.data(), n));
}

struct Row {
  std::string_view name;
  Value (*run)(const Arguments&, Runtime&);
};

constexpr std::array kGlobals = {
    Row{"range", range},
    Row{"dict", make_dict},
    Row{"namespace", make_namespace},
    Row{"raise_exception", raise_exception},
    Row{"strftime_now", strftime_now},
};

}  // namespace

Runtime::~Runtime() {
  for (const auto& space : namespaces) space->members.clear();
}

Value global(const std::string& name, Runtime& runtime) {
  for (const Row& row : kGlobals) {
    if (row.name != name) continue;
    return Value(std::make_shared<const Callable>(Callable{
        name,
        [&row, &runtime](const Arguments& arguments) { return row.run(arguments, runtime); }}));
  }
  return Value::undefined(fmt::format("'{}' is undefined", name));
}

}  // namespace labelprobe::prompt::jinja
