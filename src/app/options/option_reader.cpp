#include "app/options/option_reader.h"

#include <algorithm>

#include <yaml-cpp/yaml.h>

#include "labelprobe/core/error.h"

#include "app/options/grid.h"

namespace labelprobe::app {

namespace {

constexpr std::string_view kGridHelp =
    "\n\nSeveral values of a flag marked * make a grid: every combination runs. { FLAGS } { FLAGS "
    "} "
    "runs each group\nwith the flags outside of it; _None_ unsets; args.NAME is the value of "
    "another "
    "flag.";

// A scalar as its text, a list as its items' texts, null as kUnset.
std::vector<std::string> values_of(const YAML::Node& node, const std::string& place) {
  if (node.IsNull()) {
    return {std::string(kUnset)};
  }
  if (node.IsScalar()) {
    return {node.Scalar()};
  }
  if (!node.IsSequence()) {
    throw ConfigError(place + ": expected a value or a list of values, found a mapping");
  }
  std::vector<std::string> values;
  for (const YAML::Node& item : node) {
    if (!item.IsScalar() && !item.IsNull()) {
      throw ConfigError(place + ": expected a list of plain values");
    }
    values.push_back(item.IsNull() ? std::string(kUnset) : item.Scalar());
  }
  return values;
}

YAML::Node load_config(const std::filesystem::path& path) {
  try {
    return YAML::LoadFile(path.string());
  } catch (const YAML::BadFile&) {
    throw ConfigError(path.string() + ": config file cannot be read");
  } catch (const YAML::Exception& error) {
    throw ConfigError(path.string() + ":" + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
}

// The name that the table knows an option by, where this is its other one.
std::string own_name(const std::string& name) {
  for (const OptionInfo& option : run_options()) {
    if (!name.empty() && option.other_name == name) {
      return std::string(option.name);
    }
  }
  return name;
}

std::string_view value_name(OptionType type) {
  switch (type) {
    case OptionType::Integer:
    case OptionType::Range:
      return "N";
    case OptionType::Real:
      return "X";
    case OptionType::Boolean:
      return "true|false";
    case OptionType::GridList:
      return "A|B";
    default:
      return "TEXT";
  }
}

}  // namespace

void OptionReader::declare(CLI::App& app, std::span<const std::string_view> groups) {
  config_ = app.add_option("--config,--gridparse-config", config_paths_,
                           "YAML or JSON files of options (names with underscores); flags win, "
                           "then earlier files")
                ->type_name("FILE");
  for (const OptionInfo& option : run_options()) {
    if (std::find(groups.begin(), groups.end(), option.group) == groups.end()) {
      continue;
    }
    declared_.push_back(&option);
    const std::string name(option.name);
    std::string spelling = flag_of(name);
    if (!option.other_name.empty()) {
      spelling += "," + flag_of(option.other_name);
    }
    CLI::Option* flag = nullptr;
    if (option.type == OptionType::Flag) {
      flag = app.add_flag(spelling, flags_seen_[name], std::string(option.help));
    } else {
      flag = app.add_option(spelling, flag_values_[name], std::string(option.help));
      flag->type_name(std::string(value_name(option.type)) + (spans_grid(option) ? "*" : ""));
      if (option.type == OptionType::Range) {
        flag->expected(1, 2);
      } else if (option.type != OptionType::TextList && !spans_grid(option)) {
        flag->expected(1)->allow_extra_args(false);
        flag->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);  // of --name A --name B
      }
      flag->default_str(std::string(option.fallback));
    }
    flag->group(std::string(option.group));
    flags_[name] = flag;
  }
  app.footer(app.get_footer() + std::string(kGridHelp));
  app.callback([this] { keep_command_line(); });
}

void OptionReader::keep_command_line() {
  CommandLine line;
  for (const auto& [name, flag] : flags_) {
    if (flag->count() > 0) {
      const auto values = flag_values_.find(name);
      line.flags[name] = {
          values == flag_values_.end() ? std::vector<std::string>{"true"} : values->second,
          flag_of(name)};
    }
  }
  if (config_->count() > 0) {
    line.config_paths = config_paths_;
  }
  command_lines_.push_back(std::move(line));
}

std::vector<Options> OptionReader::read() const {
  std::vector<Options> settings;
  for (const CommandLine& line : command_lines_) {
    GivenValues given = line.flags;
    for (const std::string& path : line.config_paths) {
      add_config(path, given);
    }
    for (GivenValues& values : expand_values(declared_, given)) {
      settings.emplace_back(declared_, std::move(values));
    }
  }
  return settings;
}

void OptionReader::add_config(const std::filesystem::path& path, GivenValues& given) const {
  const YAML::Node root = load_config(path);
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
    const std::string name = own_name(entry.first.Scalar());
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw ConfigError(place + ": " + unknown_choice("key", name, known));
    }
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      throw ConfigError(place + ": key '" + name + "' stands here a second time");
    }
    seen.push_back(name);
    const std::vector<std::string> values = values_of(entry.second, place);
    if (flags_.contains(name)) {  // a command ignores keys that only other commands use
      given.try_emplace(name, Given{values, place});
    }
  }
}

}  // namespace labelprobe::app
