#include "record/log/params_reader.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/files/yaml.h"

#include "record/folder/manifest.h"

namespace labelprobe::record {

namespace {

// The values of a parameter that is set, as texts.
using Values = std::optional<std::vector<std::string>>;
using AllValues = std::map<std::string, Values>;

std::string joined(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, ", "));
}

Values values_of(const nlohmann::json& value) {
  if (value.is_null()) return std::nullopt;
  if (value.is_string()) return {{value.get<std::string>()}};
  if (!value.is_array()) return {{value.dump()}};
  std::vector<std::string> texts;
  for (const nlohmann::json& element : value) {
    const Values of_element = values_of(element);
    texts.push_back(of_element ? joined(*of_element) : "null");
  }
  return texts;
}

Values values_of(const files::YamlView& node) {
  if (node.is_map() || node.is_null()) return std::nullopt;
  if (node.is_scalar()) return {{node.text()}};
  std::vector<std::string> texts;
  for (const files::YamlView& element : node.items()) {
    const Values of_element = values_of(element);
    texts.push_back(of_element ? joined(*of_element) : "null");
  }
  return texts;
}

AllValues read_manifest(const std::filesystem::path& file, int index) {
  const Manifest manifest = Manifest::load(file);
  AllValues values;
  if (index < static_cast<int>(manifest.experiments.size())) {
    const nlohmann::json& logged = manifest.experiments[static_cast<std::size_t>(index)].params;
    for (const auto& [name, value] : logged.items()) values[name] = values_of(value);
  }
  return values;
}

AllValues read_params_file(const std::filesystem::path& file, int index) {
  const files::YamlView root = files::load_yaml(file, ErrorKind::Data);
  AllValues values;
  if (!root.is_map()) return values;
  for (const auto& [experiment, params] : root.members()) {
    if (!experiment.is_scalar() || !params.is_map()) continue;
    values.clear();  // the published files keep the last experiment's only
    for (const auto& [key, value] : params.members()) {
      // Copies under names such as ___shot___ are for folder names.
      const std::string name = key.is_scalar() ? key.text() : "";
      if (!name.empty() && !name.ends_with("___")) values[name] = values_of(value);
    }
    if (experiment.text() == fmt::format("experiment_{}", index)) break;
  }
  return values;
}

AllValues read_values(const std::filesystem::path& folder, int index) {
  AllValues values;
  if (std::filesystem::is_regular_file(folder / kManifestName)) {
    values = read_manifest(folder / kManifestName, index);
  }
  if (values.empty() && std::filesystem::is_regular_file(folder / "params.yml")) {
    values = read_params_file(folder / "params.yml", index);
  }
  return values;
}

}  // namespace

LoggedParams read_params(const std::filesystem::path& folder, int index) {
  LoggedParams params;
  for (const auto& [name, values] : read_values(folder, index)) {
    params[name] = values ? joined(*values) : "null";
  }
  return params;
}

OptionValues read_option_values(const std::filesystem::path& folder, int index) {
  OptionValues options;
  for (auto& [name, values] : read_values(folder, index)) {
    options[name] = values ? std::move(*values) : std::vector<std::string>{};
  }
  return options;
}

}  // namespace labelprobe::record
