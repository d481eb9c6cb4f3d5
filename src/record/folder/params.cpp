#include "record/folder/params.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/python/repr.h"

namespace labelprobe::record {

using nlohmann::json;

namespace {

std::string shown(const json& params, const std::string& name) {
  const auto found = params.find(name);
  return found == params.end() || found->is_null() ? "unset"
         : found->is_string()                      ? found->get<std::string>()
                                                   : found->dump();
}

bool is_inactive(const json& value) {
  return value.is_null() || value == false || (value.is_number() && value == 0) ||
         (value.is_string() && value.get_ref<const std::string&>().empty()) ||
         (value.is_array() && value.empty());
}

// Whether two sets of parameters have the same values but for `ignored` ones; a value that is
// `as_good_as_none` need not be there.
bool agree(const json& a,
           const json& b,
           const std::set<std::string>& ignored,
           bool (*as_good_as_none)(const json&)) {
  const auto covers = [&](const json& wanted, const json& other) {
    return std::all_of(wanted.items().begin(), wanted.items().end(), [&](const auto& item) {
      const auto found = other.find(item.key());
      return ignored.contains(item.key()) || as_good_as_none(item.value()) ||
             (found != other.end() && *found == item.value());
    });
  };
  return covers(a, b) && covers(b, a);
}

}  // namespace

json as_json(const ParamValue& value) {
  const auto convert = [](const auto& given) -> json {
    if constexpr (std::is_same_v<std::decay_t<decltype(given)>, std::monostate>) {
      return nullptr;
    } else {
      return given;
    }
  };
  return std::visit(convert, value);
}

json comparable_form(const std::vector<Param>& params) {
  json form = json::object();
  for (const Param& param : params) {
    LABELPROBE_CHECK(!param.name.empty() && !form.contains(param.name));
    json value = as_json(param.value);
    if (const auto* number = std::get_if<double>(&param.value); number && !std::isfinite(*number)) {
      // JSON has no spelling for infinity; as a text it still compares as it should.
      value = python::repr(*number);
    }
    try {
      value.dump();
    } catch (const json::type_error&) {
      throw ConfigError(fmt::format("parameter '{}': expected UTF-8 text", param.name));
    }
    form[param.name] = std::move(value);
  }
  return form;
}

std::set<std::string> names_not_comparable(const std::vector<Param>& params) {
  std::set<std::string> names;
  for (const Param& param : params) {
    if (!param.is_comparable) {
      names.insert(param.name);
    }
  }
  return names;
}

std::set<std::string> names_with(const std::vector<Param>& params, Bearing bearing) {
  std::set<std::string> names;
  for (const Param& param : params) {
    if (param.bearing == bearing) {
      names.insert(param.name);
    }
  }
  return names;
}

std::vector<std::string> describe_differences(const json& there,
                                              const json& here,
                                              const std::set<std::string>& ignored) {
  json all = there;
  all.update(here);
  std::vector<std::string> differences;
  for (const auto& [name, value] : all.items()) {
    const std::string one = shown(there, name);
    const std::string other = shown(here, name);
    if (one != other && !ignored.contains(name)) {
      differences.push_back(fmt::format("{} is {} there and {} here", name, one, other));
    }
  }
  return differences;
}

bool are_equal(const json& a, const json& b, const std::set<std::string>& ignored) {
  return agree(a, b, ignored, [](const json& value) { return value.is_null(); });
}

bool are_equivalent(const json& a, const json& b, const std::set<std::string>& ignored) {
  return agree(a, b, ignored, is_inactive);
}

}  // namespace labelprobe::record
