#include "app/options/option.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"

#include "app/options/comma_list.h"

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

std::string_view expectation(OptionKind kind) {
  switch (kind) {
    case OptionKind::Text:
    case OptionKind::TextOrFile:
      return "one text";
    case OptionKind::Integer:
      return "one integer";
    case OptionKind::Real:
      return "one number";
    case OptionKind::Flag:
    case OptionKind::Boolean:
      return "true or false";
    case OptionKind::TextList:
    case OptionKind::GridList:
      return "one text or a list of texts";
    case OptionKind::Range:
      return "one or two integers";
  }
  return "";
}

bool is_of_kind(const std::vector<std::string>& values, OptionKind kind) {
  const bool is_one = values.size() == 1;
  switch (kind) {
    case OptionKind::Text:
    case OptionKind::TextOrFile:
      return is_one;
    case OptionKind::Integer:
      return is_one && is_integer(values[0]);
    case OptionKind::Real:
      return is_one && is_real(values[0]);
    case OptionKind::Flag:
    case OptionKind::Boolean:
      return is_one && (values[0] == "true" || values[0] == "false");
    case OptionKind::TextList:
    case OptionKind::GridList:
      return true;
    case OptionKind::Range:
      return (is_one || values.size() == 2) &&
             std::all_of(values.begin(), values.end(), is_integer);
  }
  return false;
}

record::ParamValue param_value(const Option& option, const std::vector<std::string>& values) {
  switch (option.kind) {
    case OptionKind::Flag:
    case OptionKind::Boolean:
      return !values.empty() && values.front() == "true";
    case OptionKind::TextList:
    case OptionKind::GridList:
    case OptionKind::Range:
      return values.empty() ? record::ParamValue() : values;
    case OptionKind::Integer:
      return values.empty() ? record::ParamValue() : *to_number<std::int64_t>(values.front());
    case OptionKind::Real:
      return values.empty() ? record::ParamValue() : *to_number<double>(values.front());
    case OptionKind::Text:
    case OptionKind::TextOrFile:
      break;
  }
  if (values.empty()) {
    return {};
  }
  return option.info.log_as ? option.info.log_as(values.front()) : values.front();
}

std::vector<std::string> values_or_fallback(const Option& option, const GivenValues& given) {
  const auto found = given.find(option.info.name);
  if (found != given.end() && !found->second.values.empty()) {
    return found->second.values;
  }
  return option.info.fallback.empty() ? std::vector<std::string>{}
                                      : std::vector{std::string(option.info.fallback)};
}

// Where a message about the option's value begins: a flag names it, a line of a file does not.
std::string place_and_name(const Option& option, const std::string& place) {
  return place == option.flag() ? place : fmt::format("{}: {}", place, option.info.name);
}

void check_least(const Option& option, const Given& given) {
  if (option.info.least && *to_number<std::int64_t>(given.values.front()) < *option.info.least) {
    throw ConfigError(fmt::format("{}: expected an integer of at least {}, found {}",
                                  place_and_name(option, given.place), *option.info.least,
                                  given.values.front()));
  }
}

}  // namespace

namespace detail {

std::int64_t to_integer(const std::string& text, std::int64_t most) {
  const std::int64_t number = *to_number<std::int64_t>(text);
  if (number > most) {
    throw ConfigError(fmt::format("expected an integer of at most {}, found {}", most, text));
  }
  return number;
}

double to_real(const std::string& text) {
  return *to_number<double>(text);
}

}  // namespace detail

std::string_view usual_value(OptionKind kind) {
  switch (kind) {
    case OptionKind::Flag:
      return "";
    case OptionKind::Integer:
    case OptionKind::Range:
      return "N";
    case OptionKind::Real:
      return "X";
    case OptionKind::Boolean:
      return "true|false";
    case OptionKind::Text:
    case OptionKind::TextOrFile:
    case OptionKind::TextList:
    case OptionKind::GridList:
      break;
  }
  return "TEXT";
}

std::string flag_of(std::string_view name) {
  std::string flag = "--" + std::string(name);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string describe(const record::ParamValue& value) {
  struct Describer {
    std::string operator()(std::monostate) const { return "-"; }
    std::string operator()(bool is_on) const { return is_on ? "true" : "false"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const {
      char text[32];
      const auto [end, error] = std::to_chars(text, text + sizeof text, number);
      return {text, end};
    }
    std::string operator()(const std::string& text) const {
      std::string line = text;
      for (std::size_t at = line.find('\n'); at != std::string::npos; at = line.find('\n', at)) {
        line.replace(at, 1, "\\n");
      }
      return "'" + line + "'";
    }
    std::string operator()(const std::vector<std::string>& texts) const {
      return fmt::format("{}", fmt::join(texts, " "));
    }
  };
  return std::visit(Describer{}, value);
}

std::string Option::flag() const {
  if (is_operand) {
    return std::string(info.name);
  }
  return flag_of(info.flag.empty() ? info.name : info.flag);
}

std::vector<std::string> Option::flags() const {
  std::vector<std::string> all = {flag()};
  if (!info.other_name.empty()) {
    all.push_back(flag_of(info.other_name));
  }
  return all;
}

char Option::letter() const {
  static constexpr std::array<std::pair<std::string_view, char>, 6> kLetters = {
      {{"help", 'h'},
       {"model_name_or_path", 'm'},
       {"limit", 'n'},
       {"out", 'o'},
       {"quiet", 'q'},
       {"verbose", 'v'}}};
  for (const auto& [name, letter] : kLetters) {
    if (name == info.name) return letter;
  }
  return 0;
}

std::string Option::variable() const {
  if (!info.is_of_environment) return "";
  std::string name = "LABELPROBE_" + std::string(info.name);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name;
}

bool Option::spans_grid() const {
  switch (kind) {
    case OptionKind::Text:
    case OptionKind::TextOrFile:
    case OptionKind::Integer:
    case OptionKind::Real:
    case OptionKind::Boolean:
      return !is_operand && !info.is_of_grid;
    case OptionKind::GridList:
      return true;
    case OptionKind::Flag:
    case OptionKind::TextList:
    case OptionKind::Range:
      return false;
  }
  return false;
}

void OptionList::push(OptionKind kind,
                      const void* field,
                      OptionInfo info,
                      std::function<void(const Given&)> assign) {
  options_.push_back({.info = std::move(info), .kind = kind, .group = group_, .field = field});
  options_.back().assign.push_back(std::move(assign));
}

void OptionList::add_boolean(bool& field, OptionInfo info) {
  push(OptionKind::Boolean, &field, std::move(info),
       [&field](const Given& given) { detail::assign_to(field, given); });
}

void OptionList::add_special(OptionKind kind,
                             const void* field,
                             OptionInfo info,
                             std::function<void(const Given&)> assign) {
  push(kind, field, std::move(info), std::move(assign));
}

void OptionList::accept(OptionKind kind, OptionInfo info) {
  info.shown = Shown::Never;
  push(kind, nullptr, std::move(info), [](const Given&) {});
}

void OptionList::refuse(OptionKind kind, OptionInfo info) {
  info.shown = Shown::Never;
  const std::string why = fmt::format("{}: {}", info.name, info.help);
  push(kind, nullptr, std::move(info), [why](const Given&) { throw ConfigError(why); });
}

const Option* OptionList::find(std::string_view name) const {
  const auto found = std::find_if(options_.begin(), options_.end(), [&](const Option& option) {
    return option.info.name == name || (!name.empty() && option.info.other_name == name);
  });
  return found == options_.end() ? nullptr : &*found;
}

std::size_t OptionList::index_of(const void* field) const {
  const auto found = std::find_if(options_.begin(), options_.end(),
                                  [&](const Option& option) { return option.field == field; });
  LABELPROBE_CHECK(field != nullptr && found != options_.end());
  return static_cast<std::size_t>(found - options_.begin());
}

const std::vector<std::string>& OptionList::values_of(const void* field) const {
  static const std::vector<std::string> none;
  const auto found = given_.find(option_of(field).info.name);
  return found == given_.end() ? none : found->second.values;
}

std::string OptionList::place_of(const Option& option) const {
  const auto found = given_.find(option.info.name);
  return found == given_.end() ? option.flag() : found->second.place;
}

void OptionList::check_types(const GivenValues& given) const {
  for (const Option& option : options_) {
    const auto found = given.find(option.info.name);
    if (found != given.end() && !found->second.values.empty() &&
        !is_of_kind(found->second.values, option.kind)) {
      throw ConfigError(
          fmt::format("{}: expected {}, found '{}'", place_and_name(option, found->second.place),
                      expectation(option.kind), fmt::join(found->second.values, " ")));
    }
  }
}

void OptionList::check_required() const {
  std::vector<std::string> missing;
  bool is_of_file = false;  // whether a config file could give one of them
  for (const Option& option : options_) {
    if (!option.info.is_required || !values_or_fallback(option, given_).empty()) continue;
    std::string line = fmt::format("{} is required: {}", option.flag(), option.info.help);
    if (!option.info.usual.empty()) line += fmt::format(", e.g. {}", option.info.usual);
    missing.push_back(std::move(line));
    is_of_file = is_of_file || !option.is_operand;
  }
  if (missing.empty()) return;
  throw ConfigError(fmt::format("{}{}", fmt::join(missing, "\n            "),
                                is_of_file && missing.size() > 1
                                    ? "\nA config file gives options too: --config configs/SET/FILE"
                                    : ""));
}

void OptionList::fill(const GivenValues& given) {
  given_ = given;
  for (const Option& option : options_) {
    const auto found = given_.find(option.info.name);
    if (!option.info.has_commas || found == given_.end()) continue;
    found->second.values = split_at_commas(found->second.values);
  }
  check_types(given_);
  for (const Option& option : options_) {
    const std::vector<std::string> values = values_or_fallback(option, given_);
    if (values.empty()) continue;
    const Given one = {values, place_of(option)};
    check_least(option, one);
    try {
      for (const auto& assign : option.assign) {
        assign(one);
      }
    } catch (const ConfigError& error) {
      throw ConfigError(one.place + ": " + error.what());
    }
  }
  check_required();
  for (const auto& work : afterwards_) {
    work();
  }
}

std::vector<record::Param> OptionList::params() const {
  std::vector<record::Param> params;
  for (const Option& option : options_) {
    if (option.is_operand || option.is_built_in || !option.info.is_logged) {
      continue;
    }
    const std::vector<std::string> values = values_or_fallback(option, given_);
    record::Param param{
        std::string(option.info.name), param_value(option, values), option.info.is_comparable, {}};
    // The published names have lists of a grid only where they are set.
    const bool is_named = option.kind != OptionKind::GridList || !values.empty();
    if (option.info.name_priority >= 0 && is_named) {
      param.name_priority = option.info.name_priority;
    }
    param.bearing = option.info.bearing;
    params.push_back(std::move(param));
  }
  return params;
}

std::vector<std::string> OptionList::describe_idle() const {
  std::vector<std::string> sentences;
  for (const Option& option : options_) {
    const auto found = given_.find(option.info.name);
    if (!option.info.idle_because.empty() && found != given_.end() &&
        !found->second.values.empty()) {
      sentences.push_back(fmt::format("{}: {} changes nothing: {}", found->second.place,
                                      option.info.name, option.info.idle_because));
    }
  }
  return sentences;
}

}  // namespace labelprobe::app
