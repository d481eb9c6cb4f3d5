#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "prompt/jinja/runtime.h"

namespace labelprobe::prompt::jinja {

void Given::allow(std::initializer_list<std::string_view> names) const {
  if (arguments_.positional.size() > names.size()) {
    throw TemplateError(fmt::format("{}: expected at most {} arguments, found {}", function_,
                                    names.size(), arguments_.positional.size()));
  }
  for (const auto& [name, value] : arguments_.named) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw TemplateError(fmt::format("{}: unknown argument '{}' (known: {})", function_, name,
                                      fmt::join(names, ", ")));
    }
  }
}

bool Given::has(std::size_t place, std::string_view name) const {
  return arguments_.find(place, name) != nullptr;
}

const Value& Given::value(std::size_t place, std::string_view name) const {
  const Value* found = arguments_.find(place, name);
  if (!found) {
    throw TemplateError(fmt::format("{}: expected the argument '{}', found none", function_, name));
  }
  return *found;
}

Value Given::value_or(std::size_t place, std::string_view name, Value otherwise) const {
  const Value* found = arguments_.find(place, name);
  return found ? *found : std::move(otherwise);
}

Text Given::text(std::size_t place, std::string_view name) const {
  const Value& found = value(place, name);
  if (!found.text()) refuse(fmt::format("a text as '{}'", name), found);
  return *found.text();
}

std::int64_t Given::integer_or(std::size_t place,
                               std::string_view name,
                               std::int64_t otherwise) const {
  const Value* found = arguments_.find(place, name);
  if (!found || found->is<None>()) return otherwise;
  if (const bool* truth = found->as<bool>()) return *truth ? 1 : 0;
  if (!found->is<std::int64_t>()) refuse(fmt::format("an integer as '{}'", name), *found);
  return *found->as<std::int64_t>();
}

bool Given::truth_or(std::size_t place, std::string_view name, bool otherwise) const {
  const Value* found = arguments_.find(place, name);
  return found ? found->is_true() : otherwise;
}

void Given::refuse(std::string_view expected, const Value& found) const {
  const auto* undefined = found.as<Undefined>();
  throw TemplateError(fmt::format("{}: expected {}, found {}", function_, expected,
                                  undefined ? std::string_view(undefined->what) : found.kind()));
}

}  // namespace labelprobe::prompt::jinja
