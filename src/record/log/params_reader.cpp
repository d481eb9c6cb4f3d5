#include "record/log/params_reader.h"

#include <fmt/format.h>

#include "labelprobe/files/yaml.h"

#include "record/folder/manifest.h"

namespace labelprobe::record {

namespace {

std::string text_of(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::string joined;
  for (const nlohmann::json& element : value) {
    joined += (joined.empty() ? "" : ", ") + text_of(element);
  }
  return joined;
}

std::string text_of(const files::YamlView& node) {
  if (node.is_map() || node.is_null()) return "null";
  if (node.is_scalar()) return node.text();
  std::string joined;
  for (const files::YamlView& element : node.items()) {
    joined += (joined.empty() ? "" : ", ") + text_of(element);
  }
  return joined;
}

LoggedParams read_manifest(const std::filesystem::path& file, int index) {
  const Manifest manifest = Manifest::load(file);
  LoggedParams params;
  if (index < static_cast<int>(manifest.experiments.size())) {
    const nlohmann::json& logged = manifest.experiments[static_cast<std::size_t>(index)].params;
    for (const auto& [name, value] : logged.items()) params[name] = text_of(value);
  }
  return params;
}

LoggedParams read_params_file(const std::filesystem::path& file, int index) {
  const files::YamlView root = files::load_yaml(file, ErrorKind::Data);
  LoggedParams params;
  if (!root.is_map()) return params;
  for (const auto& [experiment, values] : root.members()) {
    if (!experiment.is_scalar() || !values.is_map()) continue;
    params.clear();  // the published files keep the last experiment's only
    for (const auto& [key, value] : values.members()) {
      // Copies under names such as ___shot___ are for folder names.
      const std::string name = key.is_scalar() ? key.text() : "";
      if (!name.empty() && !name.ends_with("___")) params[name] = text_of(value);
    }
    if (experiment.text() == fmt::format("experiment_{}", index)) break;
  }
  return params;
}

}  // namespace

LoggedParams read_params(const std::filesystem::path& folder, int index) {
  LoggedParams params;
  if (std::filesystem::is_regular_file(folder / kManifestName)) {
    params = read_manifest(folder / kManifestName, index);
  }
  if (params.empty() && std::filesystem::is_regular_file(folder / "params.yml")) {
    params = read_params_file(folder / "params.yml", index);
  }
  return params;
}

}  // namespace labelprobe::record
