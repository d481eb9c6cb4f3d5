#include "app/options/config_file.h"

#include <algorithm>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "labelprobe/core/error.h"

#include "app/options/grid.h"

namespace labelprobe::app {

namespace {

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

YAML::Node load(const std::filesystem::path& path) {
  try {
    return YAML::LoadFile(path.string());
  } catch (const YAML::BadFile&) {
    throw ConfigError(path.string() + ": config file cannot be read");
  } catch (const YAML::Exception& error) {
    throw ConfigError(fmt::format("{}:{}: {}", path.string(), error.mark.line + 1, error.msg));
  }
}

}  // namespace

void read_config_file(const std::filesystem::path& path,
                      const OptionList& options,
                      std::span<const std::string> known,
                      GivenValues& given) {
  const YAML::Node root = load(path);
  if (root.IsNull()) {
    return;
  }
  if (!root.IsMap()) {
    throw ConfigError(path.string() + ":1: expected a mapping of option names to values");
  }
  std::set<std::string> seen;
  for (const auto& entry : root) {
    const std::string place = fmt::format("{}:{}", path.string(), entry.first.Mark().line + 1);
    if (!entry.first.IsScalar()) {
      throw ConfigError(place + ": expected an option name");
    }
    const std::string& key = entry.first.Scalar();
    const Option* option = options.find(key);
    const bool is_of_command = option && !option->is_operand && !option->is_built_in;
    if (!is_of_command && std::find(known.begin(), known.end(), key) == known.end()) {
      const std::string near = nearest_choice(key, known);
      throw ConfigError(fmt::format("{}: unknown key '{}'{} (labelprobe ls options lists all)",
                                    place, key,
                                    near.empty() ? "" : "; did you mean '" + near + "'?"));
    }
    const std::string name = is_of_command ? std::string(option->info.name) : key;
    if (!seen.insert(name).second) {
      throw ConfigError(place + ": key '" + name + "' stands here a second time");
    }
    const std::vector<std::string> values = values_of(entry.second, place);
    if (is_of_command) {  // a command ignores keys that only other commands use
      given.try_emplace(name, Given{values, place});
    }
  }
}

}  // namespace labelprobe::app
