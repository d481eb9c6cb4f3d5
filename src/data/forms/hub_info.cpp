#include "data/forms/hub_info.h"

#include <algorithm>
#include <system_error>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/files/json.h"
#include "labelprobe/files/mapped_file.h"
#include "labelprobe/files/yaml.h"

namespace labelprobe::data {

namespace fs = std::filesystem;

namespace {

using files::YamlView;
using Json = nlohmann::ordered_json;

Feature::Kind kind_of(std::string_view dtype) {
  if (dtype == "string" || dtype == "large_string") return Feature::Kind::Text;
  if (dtype == "bool") return Feature::Kind::Flag;
  const bool is_number = dtype.starts_with("int") || dtype.starts_with("uint") ||
                         dtype.starts_with("float") || dtype.starts_with("double");
  return is_number ? Feature::Kind::Number : Feature::Kind::Other;
}

Feature list_of(Feature item) {
  if (item.kind == Feature::Kind::Class) {
    item.kind = Feature::Kind::Classes;
  } else if (item.kind == Feature::Kind::Text) {
    item.kind = Feature::Kind::Texts;
  } else {
    item.kind = Feature::Kind::Other;
  }
  return item;
}

// --- YAML: {name: label, dtype: {class_label: {names: {'0': no, '1': yes}}}} ---

std::vector<std::string> names_of(const YamlView& names) {
  std::vector<std::string> found;
  if (names.is_list()) {
    for (const YamlView& name : names.items()) found.push_back(name.text());
    return found;
  }
  if (!names.is_map()) names.fail_expected("the names of the classes");
  for (const auto& [number, name] : names.members()) {
    const auto at = number.integer();
    if (!at || *at != static_cast<std::int64_t>(found.size())) {
      number.fail_expected("the classes numbered from 0 on");
    }
    found.push_back(name.text());
  }
  return found;
}

// What "dtype", "sequence" or "list" has as its value.
Feature type_of(const YamlView& type) {
  if (type.is_scalar()) return {"", kind_of(type.text()), {}};
  if (const auto label = type.find("class_label")) {
    const auto names = label->find("names");
    return {"", Feature::Kind::Class, names ? names_of(*names) : std::vector<std::string>()};
  }
  for (const char* list : {"sequence", "list"}) {
    if (const auto item = type.find(list)) return list_of(type_of(*item));
  }
  if (const auto dtype = type.find("dtype")) return type_of(*dtype);
  return {};
}

std::vector<Feature> features_of(const YamlView& list) {
  std::vector<Feature> features;
  if (!list.is_list()) return features;
  for (const YamlView& item : list.items()) {
    const auto name = item.find("name");
    if (!name || !name->is_scalar()) item.fail_expected("a feature with a name");
    Feature feature = type_of(item);
    feature.name = name->text();
    features.push_back(std::move(feature));
  }
  return features;
}

// One of them or a list.
std::vector<YamlView> each_of(const YamlView& value) {
  return value.is_list() ? value.items() : std::vector<YamlView>{value};
}

std::vector<std::string> patterns_of(const YamlView& paths) {
  std::vector<std::string> patterns;
  for (const YamlView& path : each_of(paths)) patterns.push_back(path.text());
  return patterns;
}

HubConfig& config_called(std::vector<HubConfig>& configs, const std::string& name) {
  const auto found = std::find_if(configs.begin(), configs.end(),
                                  [&](const HubConfig& config) { return config.name == name; });
  if (found != configs.end()) return *found;
  configs.emplace_back().name = name;
  return configs.back();
}

HubConfig& config_of(std::vector<HubConfig>& configs, const YamlView& value) {
  const auto name = value.find("config_name");
  return config_called(configs, name ? name->text() : "default");
}

void read_data_files(const YamlView& data_files, HubConfig& config) {
  for (const YamlView& entry : each_of(data_files)) {
    const auto split = entry.find("split");
    const auto path = entry.find("path");
    if (split && path) {
      config.files.emplace_back(split->text(), patterns_of(*path));
    } else if (entry.is_scalar()) {
      config.files.emplace_back("train", std::vector<std::string>{entry.text()});
    }
  }
}

void read_front_matter(const fs::path& path, std::vector<HubConfig>& configs) {
  constexpr std::string_view kFence = "---";
  const files::MappedFile file(path);
  const std::string_view text = file.text();
  if (!text.starts_with(kFence)) return;
  const std::size_t begin = text.find('\n');
  const std::size_t end = begin == text.npos ? text.npos : text.find("\n---", begin);
  if (end == text.npos) return;
  const YamlView root =
      files::parse_yaml(text.substr(begin + 1, end - begin), {path.string(), ErrorKind::Data, 1});
  if (const auto infos = root.find("dataset_info")) {
    for (const YamlView& info : each_of(*infos)) {
      HubConfig& config = config_of(configs, info);
      if (const auto features = info.find("features")) config.features = features_of(*features);
    }
  }
  const auto listed = root.find("configs");
  if (!listed) return;
  for (const YamlView& entry : each_of(*listed)) {
    HubConfig& config = config_of(configs, entry);
    const auto is_default = entry.find("default");
    config.is_default = is_default && is_default->boolean().value_or(false);
    if (const auto data_files = entry.find("data_files")) read_data_files(*data_files, config);
  }
}

// --- JSON: {"label": {"names": ["no", "yes"], "_type": "ClassLabel"}} ---

Feature type_of(const Json& type) {
  if (type.is_array()) return type.size() == 1 ? list_of(type_of(type[0])) : Feature();
  if (!type.is_object()) return {};
  const auto text = [&](const char* key) {
    const auto found = type.find(key);
    return found != type.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const std::string kind = text("_type");
  if (kind == "ClassLabel") {
    Feature feature{"", Feature::Kind::Class, {}};
    const auto names = type.find("names");
    if (names == type.end() || !names->is_array()) return feature;
    for (const Json& name : *names) {
      if (name.is_string()) feature.names.push_back(name.get<std::string>());
    }
    return feature;
  }
  if (const auto item = type.find("feature"); item != type.end() && kind != "Value") {
    return list_of(type_of(*item));
  }
  return {"", kind == "Value" ? kind_of(text("dtype")) : Feature::Kind::Other, {}};
}

std::vector<Feature> features_of(const Json& map) {
  std::vector<Feature> features;
  if (!map.is_object()) return features;
  for (const auto& [name, type] : map.items()) {
    Feature feature = type_of(type);
    feature.name = name;
    features.push_back(std::move(feature));
  }
  return features;
}

Json load_json(const fs::path& path) {
  const files::MappedFile file(path);
  return files::parse_json_in_order(file.text(), {path.string()});
}

void read_infos(const fs::path& path, std::vector<HubConfig>& configs) {
  const Json infos = load_json(path);
  if (!infos.is_object()) return;
  for (const auto& [name, info] : infos.items()) {
    if (info.is_object() && info.contains("features")) {
      config_called(configs, name).features = features_of(info["features"]);
    }
  }
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

bool has_features(const std::vector<HubConfig>& configs) {
  return std::any_of(configs.begin(), configs.end(),
                     [](const HubConfig& config) { return !config.features.empty(); });
}

}  // namespace

std::vector<HubConfig> read_hub_configs(const fs::path& folder) {
  std::vector<HubConfig> configs;
  if (is_file(folder / "README.md")) read_front_matter(folder / "README.md", configs);
  if (!has_features(configs) && is_file(folder / "dataset_infos.json")) {
    read_infos(folder / "dataset_infos.json", configs);
  }
  if (!has_features(configs) && is_file(folder / "dataset_info.json")) {
    const Json info = load_json(folder / "dataset_info.json");
    if (info.is_object() && info.contains("features")) {
      if (configs.empty()) configs.emplace_back();
      configs.front().features = features_of(info["features"]);
    }
  }
  return configs;
}

std::vector<Feature> features_in_metadata(std::string_view text) {
  Json root;
  try {
    root = files::parse_json_in_order(text, {"metadata"});
  } catch (const DataError&) {
    return {};  // another program's
  }
  if (!root.is_object() || !root.contains("info") || !root["info"].is_object()) return {};
  const auto found = root["info"].find("features");
  return found == root["info"].end() ? std::vector<Feature>() : features_of(*found);
}

}  // namespace labelprobe::data
