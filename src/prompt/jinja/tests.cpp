// What stands behind `is`.
#include <array>
#include <string>
#include <vector>

#include "labelprobe/core/error.h"

#include "prompt/jinja/runtime.h"
#include "prompt/jinja/text_functions.h"

namespace labelprobe::prompt::jinja {

namespace {

struct TestCall {
  const Value& value;
  const Given& given;
  Runtime& runtime;

  const Value& other() const { return given.value(0, "other"); }
  bool equals() const { return equal(value, other(), runtime.budget); }
  bool is_less() const { return less(value, other(), runtime.budget); }
  bool is_more() const { return less(other(), value, runtime.budget); }
};

bool is_integer(const Value& value) {
  return value.is<std::int64_t>();
}

std::int64_t remainder_of(const TestCall& call, std::int64_t divisor) {
  if (!is_integer(call.value) || divisor == 0) call.given.refuse("an integer", call.value);
  return *call.value.as<std::int64_t>() % divisor;
}

bool is_series(const Value& value) {
  return value.list() || value.dict() || value.text() || value.is_undefined();
}

bool same(const TestCall& call) {
  const Value& a = call.value;
  const Value& b = call.other();
  if (a.is<bool>() || b.is<bool>()) {
    return a.is<bool>() && b.is<bool>() && *a.as<bool>() == *b.as<bool>();
  }
  return equal(a, b, call.runtime.budget);
}

struct TestRow {
  std::string_view name;
  bool (*run)(const TestCall&);
};

constexpr std::array kTests = {
    TestRow{"defined", [](const TestCall& c) { return !c.value.is_undefined(); }},
    TestRow{"undefined", [](const TestCall& c) { return c.value.is_undefined(); }},
    TestRow{"none", [](const TestCall& c) { return c.value.is<None>(); }},
    TestRow{"string", [](const TestCall& c) { return c.value.text() != nullptr; }},
    TestRow{"mapping", [](const TestCall& c) { return c.value.dict() != nullptr; }},
    TestRow{"iterable", [](const TestCall& c) { return is_series(c.value); }},
    TestRow{"sequence", [](const TestCall& c) { return is_series(c.value); }},
    TestRow{"number", [](const TestCall& c) { return c.value.is_number(); }},
    TestRow{"integer", [](const TestCall& c) { return is_integer(c.value); }},
    TestRow{"float", [](const TestCall& c) { return c.value.is<double>(); }},
    TestRow{"boolean", [](const TestCall& c) { return c.value.is<bool>(); }},
    TestRow{"true", [](const TestCall& c) { return c.value.is<bool>() && *c.value.as<bool>(); }},
    TestRow{"false", [](const TestCall& c) { return c.value.is<bool>() && !*c.value.as<bool>(); }},
    TestRow{"callable",
            [](const TestCall& c) { return c.value.is<std::shared_ptr<const Callable>>(); }},
    TestRow{"equalto", [](const TestCall& c) { return c.equals(); }},
    TestRow{"eq", [](const TestCall& c) { return c.equals(); }},
    TestRow{"==", [](const TestCall& c) { return c.equals(); }},
    TestRow{"ne", [](const TestCall& c) { return !c.equals(); }},
    TestRow{"!=", [](const TestCall& c) { return !c.equals(); }},
    TestRow{"lt", [](const TestCall& c) { return c.is_less(); }},
    TestRow{"lessthan", [](const TestCall& c) { return c.is_less(); }},
    TestRow{"<", [](const TestCall& c) { return c.is_less(); }},
    TestRow{"le", [](const TestCall& c) { return !c.is_more(); }},
    TestRow{"<=", [](const TestCall& c) { return !c.is_more(); }},
    TestRow{"gt", [](const TestCall& c) { return c.is_more(); }},
    TestRow{"greaterthan", [](const TestCall& c) { return c.is_more(); }},
    TestRow{">", [](const TestCall& c) { return c.is_more(); }},
    TestRow{"ge", [](const TestCall& c) { return !c.is_less(); }},
    TestRow{">=", [](const TestCall& c) { return !c.is_less(); }},
    TestRow{"in", [](const TestCall& c) { return contains(c.other(), c.value, c.runtime); }},
    TestRow{"sameas", same},
    TestRow{"odd", [](const TestCall& c) { return remainder_of(c, 2) != 0; }},
    TestRow{"even", [](const TestCall& c) { return remainder_of(c, 2) == 0; }},
    TestRow{
        "divisibleby",
        [](const TestCall& c) { return remainder_of(c, c.given.integer_or(0, "num", 0)) == 0; }},
    TestRow{"lower",
            [](const TestCall& c) {
              return c.value.text() && lower(*c.value.text()).bytes() == c.value.text()->bytes();
            }},
    TestRow{"upper",
            [](const TestCall& c) {
              return c.value.text() && upper(*c.value.text()).bytes() == c.value.text()->bytes();
            }},
};

}  // namespace

bool call_test(const std::string& name,
               const Value& value,
               const Arguments& arguments,
               Runtime& runtime) {
  runtime.budget.spend_steps(1);
  for (const TestRow& row : kTests) {
    if (row.name == name) return row.run({value, Given(name, arguments, runtime), runtime});
  }
  std::vector<std::string> names;
  for (const TestRow& row : kTests) names.emplace_back(row.name);
  throw TemplateError(unknown_choice("test", name, names));
}

}  // namespace labelprobe::prompt::jinja
