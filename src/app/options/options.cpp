#include "app/options/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "labelprobe/core/error.h"

namespace labelprobe::app {

namespace {

template <typename Number>
std::optional<Number> to_number(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number)
                                                                  : std::nullopt;
}

bool is_integer(const std::string& text) {
  return to_number<std::int64_t>(text).has_value();
}

bool is_real(const std::string& text) {
  const auto number = to_number<double>(text);
  return number && std::isfinite(*number);
}

std::string_view expectation(OptionType type) {
  switch (type) {
    case OptionType::Text:
    case OptionType::TextOrFile:
      return "one text";
    case OptionType::Integer:
      return "one integer";
    case OptionType::Real:
      return "one number";
    case OptionType::Flag:
    case OptionType::Boolean:
      return "true or false";
    case OptionType::TextList:
    case OptionType::GridList:
      return "one text or a list of texts";
    case OptionType::Range:
      return "one or two integers";
  }
  return "";
}

bool is_of_type(const std::vector<std::string>& values, OptionType type) {
  const bool is_one = values.size() == 1;
  switch (type) {
    case OptionType::Text:
    case OptionType::TextOrFile:
      return is_one;
    case OptionType::Integer:
      return is_one && is_integer(values[0]);
    case OptionType::Real:
      return is_one && is_real(values[0]);
    case OptionType::Flag:
    case OptionType::Boolean:
      return is_one && (values[0] == "true" || values[0] == "false");
    case OptionType::TextList:
    case OptionType::GridList:
      return true;
    case OptionType::Range:
      return (is_one || values.size() == 2) &&
             std::all_of(values.begin(), values.end(), is_integer);
  }
  return false;
}

std::string joined(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) {
    text += (text.empty() ? "" : " ") + value;
  }
  return text;
}

}  // namespace

std::string describe(const record::ParamValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    std::string line = *text;
    for (std::size_t at = line.find('\n'); at != std::string::npos; at = line.find('\n', at)) {
      line.replace(at, 1, "\\n");
    }
    return "'" + line + "'";
  }
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) {
    return joined(*texts);
  }
  if (const auto* is_on = std::get_if<bool>(&value)) {
    return *is_on ? "true" : "false";
  }
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return std::to_string(*integer);
  }
  if (const auto* real = std::get_if<double>(&value)) {
    char text[32];
    const auto [end, error] = std::to_chars(text, text + sizeof text, *real);
    return {text, end};
  }
  return "-";
}

std::string flag_of(std::string_view name) {
  std::string flag = "--" + std::string(name);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

bool spans_grid(const OptionInfo& option) {
  switch (option.type) {
    case OptionType::Text:
    case OptionType::TextOrFile:
    case OptionType::Integer:
    case OptionType::Real:
    case OptionType::Boolean:
      return option.group != kLogGroup;
    case OptionType::GridList:
      return true;
    case OptionType::Flag:
    case OptionType::TextList:
    case OptionType::Range:
      return false;
  }
  return false;
}

Options::Options(std::vector<const OptionInfo*> declared, GivenValues given)
    : declared_(std::move(declared)), given_(std::move(given)) {
  for (const auto& [name, one] : given_) {
    const OptionInfo& option = info(name);
    if (!one.values.empty() && !is_of_type(one.values, option.type)) {
      throw ConfigError(one.place + ": " + name + ": expected " +
                        std::string(expectation(option.type)) + ", found '" + joined(one.values) +
                        "'");
    }
  }
}

bool Options::has(std::string_view name) const {
  return std::any_of(declared_.begin(), declared_.end(),
                     [&](const OptionInfo* option) { return option->name == name; });
}

const OptionInfo& Options::info(std::string_view name) const {
  const auto found = std::find_if(declared_.begin(), declared_.end(),
                                  [&](const OptionInfo* option) { return option->name == name; });
  LABELPROBE_CHECK(found != declared_.end());
  return **found;
}

bool Options::is_set(std::string_view name) const {
  const auto found = given_.find(name);
  return found != given_.end() && !found->second.values.empty();
}

std::vector<std::string> Options::texts(std::string_view name) const {
  const OptionInfo& option = info(name);
  if (is_set(name)) {
    return given_.find(name)->second.values;
  }
  return option.fallback.empty() ? std::vector<std::string>{}
                                 : std::vector{std::string(option.fallback)};
}

std::optional<std::string> Options::optional_text(std::string_view name) const {
  const std::vector<std::string> values = texts(name);
  return values.empty() ? std::nullopt : std::optional(values.front());
}

std::string Options::text(std::string_view name) const {
  return optional_text(name).value_or("");
}

std::optional<std::int64_t> Options::optional_integer(std::string_view name) const {
  const auto value = optional_text(name);
  return value ? to_number<std::int64_t>(*value) : std::nullopt;
}

std::int64_t Options::integer(std::string_view name) const {
  const auto number = optional_integer(name);
  if (!number) {
    throw ConfigError(flag_of(name) + " is required: " + std::string(info(name).help));
  }
  return *number;
}

double Options::real(std::string_view name) const {
  const auto number = to_number<double>(text(name));
  if (!number) {
    throw ConfigError(flag_of(name) + " is required: " + std::string(info(name).help));
  }
  return *number;
}

bool Options::boolean(std::string_view name) const {
  return text(name) == "true";
}

std::string_view Options::help(std::string_view name) const {
  return info(name).help;
}

std::string Options::place(std::string_view name) const {
  const auto found = given_.find(name);
  return found == given_.end() ? flag_of(name) : found->second.place;
}

std::vector<record::Param> Options::params() const {
  std::vector<record::Param> params;
  for (const OptionInfo* option : declared_) {
    record::Param param{std::string(option->name), {}, option->is_comparable, {}};
    const std::vector<std::string> values = texts(option->name);
    // Of these the published names have only those that are set.
    const bool is_named = option->type != OptionType::GridList || !values.empty();
    if (option->name_priority >= 0 && is_named) {
      param.name_priority = option->name_priority;
    }
    if (option->type == OptionType::Flag || option->type == OptionType::Boolean) {
      param.value = boolean(option->name);
    } else if (values.empty()) {
      param.value = {};
    } else if (option->type == OptionType::TextList || option->type == OptionType::GridList ||
               option->type == OptionType::Range) {
      param.value = values;
    } else if (option->type == OptionType::Integer) {
      param.value = integer(option->name);
    } else if (option->type == OptionType::Real) {
      param.value = real(option->name);
    } else {
      param.value = values.front();
    }
    params.push_back(std::move(param));
  }
  return params;
}

}  // namespace labelprobe::app
