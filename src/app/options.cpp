#include "options.h"

#include <algorithm>
#include <charconv>

#include <yaml-cpp/yaml.h>

#include "labelprobe/core/error.h"

namespace labelprobe::app {

namespace {

std::optional<std::int64_t> to_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number)
                                                                  : std::nullopt;
}

std::string_view expectation(OptionType type) {
  switch (type) {
    case OptionType::Text:
    case OptionType::TextOrFile:
      return "one text";
    case OptionType::Integer:
      return "one integer";
    case OptionType::Flag:
    case OptionType::Boolean:
      return "true or false";
    case OptionType::TextList:
      return "one text or a list of texts";
    case OptionType::Range:
      return "one or two integers";
  }
  return "";
}

std::string joined(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) {
    text += (text.empty() ? "" : " ") + value;
  }
  return text;
}

// A scalar as its text, a list as its items' texts; nullopt for null and "_None_", which both mean
// "unset".
std::optional<std::vector<std::string>> values_of(const YAML::Node& node,
                                                  const std::string& place) {
  if (node.IsNull() || (node.IsScalar() && node.Scalar() == "_None_")) {
    return std::nullopt;
  }
  if (node.IsScalar()) {
    return std::vector<std::string>{node.Scalar()};
  }
  if (!node.IsSequence()) {
    throw ConfigError(place + ": expected a value or a list of values, found a mapping");
  }
  std::vector<std::string> values;
  for (const YAML::Node& item : node) {
    if (!item.IsScalar()) {
      throw ConfigError(place + ": expected a list of plain values");
    }
    values.push_back(item.Scalar());
  }
  return values;
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
  return "-";
}

std::string flag_of(std::string_view name) {
  std::string flag = "--" + std::string(name);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

void Options::declare(CLI::App& app, std::span<const std::string_view> groups) {
  app.add_option(
         "--config,--gridparse-config", config_paths_,
         "YAML or JSON files of options (names with underscores); flags win, then earlier files")
      ->type_name("FILE");
  for (const OptionInfo& option : run_options()) {
    if (std::find(groups.begin(), groups.end(), option.group) == groups.end()) {
      continue;
    }
    declared_.push_back(&option);
    const std::string name(option.name);
    std::string spelling = flag_of(name);
    if (name == "max_new_tokens") {
      spelling += ",--generation-max-length";
    }
    CLI::Option* flag = nullptr;
    if (option.type == OptionType::Flag) {
      flag = app.add_flag(spelling, flags_seen_[name], std::string(option.help));
    } else {
      flag = app.add_option(spelling, flag_values_[name], std::string(option.help));
      flag->type_name(
          option.type == OptionType::Integer || option.type == OptionType::Range ? "N" : "TEXT");
      if (option.type == OptionType::Range) {
        flag->expected(1, 2);
      } else if (option.type != OptionType::TextList) {
        flag->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
      }
      flag->default_str(std::string(option.fallback));
    }
    flag->group(std::string(option.group));
    flags_[name] = flag;
  }
}

void Options::resolve() {
  for (const OptionInfo* option : declared_) {
    const std::string name(option->name);
    if (flags_.at(name)->count() > 0) {
      given_[name] = {option->type == OptionType::Flag ? std::vector<std::string>{"true"}
                                                       : flag_values_.at(name),
                      flag_of(name)};
    }
  }
  for (const std::string& path : config_paths_) {
    read_config(path);
  }
  for (const auto& [name, given] : given_) {
    check(info(name), given);
  }
}

void Options::read_config(const std::filesystem::path& path) {
  YAML::Node root;
  try {
    root = YAML::LoadFile(path.string());
  } catch (const YAML::BadFile&) {
    throw ConfigError(path.string() + ": config file cannot be read");
  } catch (const YAML::Exception& error) {
    throw ConfigError(path.string() + ":" + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
  if (root.IsNull()) {
    return;
  }
  if (!root.IsMap()) {
    throw ConfigError(path.string() + ":1: expected a mapping of option names to values");
  }
  std::vector<std::string> known;
  for (const OptionInfo& option : run_options()) {
    known.emplace_back(option.name);
  }
  std::vector<std::string> seen;
  for (const auto& entry : root) {
    const std::string place = path.string() + ":" + std::to_string(entry.first.Mark().line + 1);
    if (!entry.first.IsScalar()) {
      throw ConfigError(place + ": expected an option name");
    }
    std::string name = entry.first.Scalar();
    if (name == "generation_max_length") {
      name = "max_new_tokens";
    }
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw ConfigError(place + ": " + unknown_choice("key", name, known));
    }
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      throw ConfigError(place + ": key '" + name + "' stands here a second time");
    }
    seen.push_back(name);
    const bool is_declared =
        flags_.contains(name);  // a command ignores keys that only other commands use
    if (const auto values = values_of(entry.second, place); values && is_declared) {
      given_.try_emplace(name, Given{*values, place});
    }
  }
}

void Options::check(const OptionInfo& option, const Given& given) const {
  const std::vector<std::string>& values = given.values;
  const auto all_integers = [&] {
    return std::all_of(values.begin(), values.end(),
                       [](const std::string& v) { return to_integer(v).has_value(); });
  };
  bool is_good = values.size() == 1;
  switch (option.type) {
    case OptionType::Text:
    case OptionType::TextOrFile:
      break;
    case OptionType::Integer:
      is_good = is_good && all_integers();
      break;
    case OptionType::Flag:
    case OptionType::Boolean:
      is_good = is_good && (values[0] == "true" || values[0] == "false");
      break;
    case OptionType::TextList:
      is_good = !values.empty();
      break;
    case OptionType::Range:
      is_good = (values.size() == 1 || values.size() == 2) && all_integers();
      break;
  }
  if (!is_good) {
    throw ConfigError(given.place + ": " + std::string(option.name) + ": expected " +
                      std::string(expectation(option.type)) + ", found '" + joined(values) + "'");
  }
}

const OptionInfo& Options::info(std::string_view name) const {
  const auto found = std::find_if(declared_.begin(), declared_.end(),
                                  [&](const OptionInfo* option) { return option->name == name; });
  LABELPROBE_CHECK(found != declared_.end());
  return **found;
}

bool Options::is_set(std::string_view name) const {
  return given_.contains(name);
}

std::vector<std::string> Options::texts(std::string_view name) const {
  const OptionInfo& option = info(name);
  if (const auto found = given_.find(name); found != given_.end()) {
    return found->second.values;
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
  return value ? to_integer(*value) : std::nullopt;
}

std::int64_t Options::integer(std::string_view name) const {
  const auto number = optional_integer(name);
  if (!number) {
    throw ConfigError(flag_of(name) + " is required: " + std::string(info(name).help));
  }
  return *number;
}

bool Options::boolean(std::string_view name) const {
  return text(name) == "true";
}

std::string Options::place(std::string_view name) const {
  const auto found = given_.find(name);
  return found == given_.end() ? flag_of(name) : found->second.place;
}

std::vector<record::Param> Options::params() const {
  std::vector<record::Param> params;
  for (const OptionInfo* option : declared_) {
    record::Param param{std::string(option->name), {}, option->is_comparable, {}};
    if (option->name_priority >= 0) {
      param.name_priority = option->name_priority;
    }
    const std::vector<std::string> values = texts(option->name);
    if (option->type == OptionType::Flag || option->type == OptionType::Boolean) {
      param.value = boolean(option->name);
    } else if (option->type == OptionType::TextList || option->type == OptionType::Range) {
      if (!values.empty()) {
        param.value = values;
      }
    } else if (option->type == OptionType::Integer && !values.empty()) {
      param.value = integer(option->name);
    } else if (!values.empty()) {
      param.value = values.front();
    }
    params.push_back(std::move(param));
  }
  return params;
}

}  // namespace labelprobe::app
