#include "app/options/config_file.h"

#include <algorithm>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/yaml.h"

#include "app/options/grid.h"

namespace labelprobe::app {

namespace {

std::string value_of(const files::YamlView& node, const Option* option) {
  if (node.is_null()) return std::string(kUnset);
  // Whatever word YAML has for it.
  if (option && (option->kind == OptionKind::Flag || option->kind == OptionKind::Boolean)) {
    if (const auto is_true = node.boolean()) return *is_true ? "true" : "false";
  }
  return node.text();
}

// A scalar as its text, a list as its items' texts, null as kUnset.
std::vector<std::string> values_of(const files::YamlView& node, const Option* option) {
  if (node.is_scalar()) return {value_of(node, option)};
  if (!node.is_list()) node.fail_expected("a value or a list of values");
  std::vector<std::string> values;
  for (const files::YamlView& item : node.items()) values.push_back(value_of(item, option));
  return values;
}

}  // namespace

void read_config_file(const std::filesystem::path& path,
                      const OptionList& options,
                      std::span<const std::string> known,
                      GivenValues& given) {
  const files::YamlView root = files::load_yaml(path, ErrorKind::Config);
  if (root.is_null()) {
    return;
  }
  if (!root.is_map()) root.fail_expected("a mapping of option names to values");
  std::set<std::string> seen;
  for (const auto& [name_given, value] : root.members()) {
    const std::string place = name_given.place();
    if (!name_given.is_scalar()) name_given.fail_expected("an option name");
    const std::string& key = name_given.text();
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
    const std::vector<std::string> values = values_of(value, is_of_command ? option : nullptr);
    if (is_of_command) {  // a command ignores keys that only other commands use
      given.try_emplace(name, Given{values, place});
    }
  }
}

}  // namespace labelprobe::app
