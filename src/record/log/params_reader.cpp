#include "record/log/params_reader.h"

#include <yaml-cpp/yaml.h>

#include "labelprobe/core/error.h"

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

std::string text_of(const YAML::Node& node) {
  if (node.IsScalar()) return node.Scalar();
  if (!node.IsSequence()) return "null";
  std::string joined;
  for (const YAML::Node& element : node) {
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
  YAML::Node root;
  try {
    root = YAML::LoadFile(file.string());
  } catch (const YAML::Exception& error) {
    throw DataError(file.string() + ":" + std::to_string(error.mark.line + 1) +
                    ": not YAML: " + error.msg);
  }
  LoggedParams params;
  if (!root.IsMap()) return params;
  for (const auto& entry : root) {
    if (!entry.first.IsScalar() || !entry.second.IsMap()) continue;
    params.clear();  // the published files keep the last experiment's only
    for (const auto& param : entry.second) {
      // Copies under names such as ___shot___ are for folder names.
      const std::string name = param.first.IsScalar() ? param.first.Scalar() : "";
      if (!name.empty() && !name.ends_with("___")) params[name] = text_of(param.second);
    }
    if (entry.first.Scalar() == "experiment_" + std::to_string(index)) break;
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
