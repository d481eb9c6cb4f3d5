// What expressions may do with values: operators, attributes, filters, tests, methods and the
// functions that every template has. Names that are not known are TemplateErrors with the known
// ones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "prompt/jinja/value.h"

namespace labelprobe::prompt::jinja {

// What one rendering has used so far, and the namespaces it has made, which may hold each other.
struct Runtime {
  Runtime() = default;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  ~Runtime();

  Budget budget;
  int n_calls = 0;  // macros that are running, in each other
  std::vector<std::shared_ptr<Namespace>> namespaces;
};

// `word` is one of + - * / // % **.
Value arithmetic(std::string_view word, const Value& a, const Value& b, Runtime& runtime);

// Python's `needle in series`.
bool contains(const Value& series, const Value& needle, Runtime& runtime);

// value.name, which Jinja looks for among the methods first, and value[key], among the items.
Value attribute_of(const Value& value, const std::string& name, Runtime& runtime);
Value item_of(const Value& value, const Value& key, Runtime& runtime);
Value slice_of(
    const Value& value, const Value& begin, const Value& end, const Value& step, Runtime& runtime);

Value call_filter(const std::string& name,
                  const Value& value,
                  const Arguments& arguments,
                  Runtime& runtime);
bool call_test(const std::string& name,
               const Value& value,
               const Arguments& arguments,
               Runtime& runtime);
Value call(const Value& function, const Arguments& arguments);

// The method of a text, a list or a mapping; nullopt if it has none of that name.
std::optional<Value> method_of(const Value& value, const std::string& name, Runtime& runtime);

// range, dict, namespace, raise_exception, strftime_now; undefined if it is none of these.
Value global(const std::string& name, Runtime& runtime);

// What arguments are, with the function's name for messages.
class Given {
 public:
  Given(std::string_view function, const Arguments& arguments, Runtime& runtime)
      : function_(function), arguments_(arguments), runtime_(runtime) {}

  // Throws TemplateError if there are more, or one of a name that is not listed.
  void allow(std::initializer_list<std::string_view> names) const;

  bool has(std::size_t place, std::string_view name) const;
  const Value& value(std::size_t place, std::string_view name) const;  // must be given
  Value value_or(std::size_t place, std::string_view name, Value otherwise) const;
  Text text(std::size_t place, std::string_view name) const;
  std::int64_t integer_or(std::size_t place, std::string_view name, std::int64_t otherwise) const;
  bool truth_or(std::size_t place, std::string_view name, bool otherwise) const;

  [[noreturn]] void refuse(std::string_view expected, const Value& found) const;

 private:
  std::string_view function_;
  const Arguments& arguments_;
  Runtime& runtime_;
};

}  // namespace labelprobe::prompt::jinja
