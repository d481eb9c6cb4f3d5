#include "data/forms/hub_task.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/table.h"

namespace labelprobe::data {

namespace fs = std::filesystem;

namespace {

struct FoundTable {
  std::string relative;  // to the folder
  fs::path path;
  files::TableFormat format;
};

// Descriptions of data sets are no tables, though they are JSON.
bool is_description(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with("dataset_info") || name == "state.json";
}

std::vector<FoundTable> tables_below(const fs::path& folder) {
  std::vector<FoundTable> found;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path& path = entry->path();
    if (path.filename().string().starts_with('.')) {
      entry.disable_recursion_pending();
      continue;
    }
    const auto format = files::find_table_format(path);
    std::error_code none;
    if (format && fs::is_regular_file(path, none) && !is_description(path)) {
      found.push_back({path.lexically_relative(folder).generic_string(), path, *format});
    }
  }
  std::sort(found.begin(), found.end(),
            [](const FoundTable& a, const FoundTable& b) { return a.relative < b.relative; });
  return found;
}

// The one of several formats that keeps most.
void keep_one_format(std::vector<FoundTable>& tables) {
  using files::TableFormat;
  for (const TableFormat format : {TableFormat::Parquet, TableFormat::JsonLines, TableFormat::Csv,
                                   TableFormat::Tsv, TableFormat::Json}) {
    const auto is_other = [&](const FoundTable& table) { return table.format != format; };
    if (!std::all_of(tables.begin(), tables.end(), is_other)) {
      std::erase_if(tables, is_other);
      return;
    }
  }
}

// The word for a split nearest to the end of the path; a file without one is of the first split.
std::string split_of(const FoundTable& table) {
  for (fs::path path = table.relative; !path.empty(); path = path.parent_path()) {
    if (const std::string split = split_in(path.filename().string()); !split.empty()) return split;
  }
  return "train";
}

SplitTables tables_by_names(std::vector<FoundTable> tables, const HubConfig& config) {
  const auto is_of_config = [&](const FoundTable& table) {
    return table.relative.starts_with(config.name + "/");
  };
  if (std::any_of(tables.begin(), tables.end(), is_of_config)) {
    std::erase_if(tables, [&](const FoundTable& table) { return !is_of_config(table); });
  }
  keep_one_format(tables);
  constexpr std::array<std::string_view, 3> kOrder = {"train", "validation", "test"};
  SplitTables by_split;
  for (const std::string_view split : kOrder) {
    std::vector<fs::path> paths;
    for (const FoundTable& table : tables) {
      if (split_of(table) == split) paths.push_back(table.path);
    }
    if (!paths.empty()) by_split.emplace_back(split, std::move(paths));
  }
  return by_split;
}

SplitTables tables_by_patterns(const std::vector<FoundTable>& tables,
                               const HubConfig& config,
                               const fs::path& folder) {
  SplitTables by_split;
  for (const auto& [split, patterns] : config.files) {
    std::vector<fs::path> paths;
    for (const FoundTable& table : tables) {
      const bool is_meant =
          std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
            return ::fnmatch(pattern.c_str(), table.relative.c_str(), 0) == 0;
          });
      if (is_meant) paths.push_back(table.path);
    }
    if (paths.empty()) {
      throw DataError(fmt::format(
          "{}: expected the files of split '{}', {}, found none; fetch the data set again, whole",
          (folder / "README.md").string(), split, fmt::join(patterns, ", ")));
    }
    by_split.emplace_back(split, std::move(paths));
  }
  return by_split;
}

const HubConfig& choose_config(const std::vector<HubConfig>& configs,
                               const std::string& name,
                               const std::string& wanted) {
  std::vector<std::string> known;
  const HubConfig* chosen = configs.size() == 1 ? &configs.front() : nullptr;
  for (const HubConfig& config : configs) {
    known.push_back(config.name);
    if (config.name == wanted) return config;
    if (config.is_default || (chosen == nullptr && config.name == "default")) chosen = &config;
  }
  if (!wanted.empty()) {
    throw ConfigError(fmt::format("{}: {}", name, unknown_choice("configuration", wanted, known)));
  }
  if (chosen == nullptr) {
    throw ConfigError(fmt::format("{}: expected one of its configurations, as in {}:{} (known: {})",
                                  name, name, known.front(), fmt::join(known, ", ")));
  }
  return *chosen;
}

[[noreturn]] void fail_without_tables(const fs::path& folder) {
  std::error_code error;
  const bool is_saved =
      fs::exists(folder / "state.json", error) || fs::exists(folder / "dataset_dict.json", error);
  throw DataError(fmt::format(
      "{}: expected tables (.{}), found none{}", folder.string(),
      fmt::join(files::table_format_names(), ", ."),
      is_saved ? "; it was written by save_to_disk(), whose Arrow files are not read: write it "
                 "with to_parquet()"
               : ""));
}

// --- What the columns are ---

const Feature* find(std::span<const Feature> features,
                    Feature::Kind kind,
                    std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    for (const Feature& feature : features) {
      if (feature.kind == kind && feature.name == name) return &feature;
    }
  }
  for (const Feature& feature : features) {
    if (feature.kind == kind) return &feature;
  }
  return nullptr;
}

constexpr std::array<std::string_view, 4> kHubLabelNames = {"label", "labels", "emotion",
                                                            "coarse_label"};

// Texts that make one together, in their order.
constexpr std::array<std::array<std::string_view, 2>, 7> kPairs = {{{"premise", "hypothesis"},
                                                                    {"sentence1", "sentence2"},
                                                                    {"question1", "question2"},
                                                                    {"question", "sentence"},
                                                                    {"text1", "text2"},
                                                                    {"context", "response"},
                                                                    {"title", "text"}}};

std::string text_of(std::span<const Feature> features, const std::string& place) {
  constexpr std::array<std::string_view, 10> kNames = {"text",      "sentence", "tweet",  "comment",
                                                       "content",   "post",     "review", "body",
                                                       "utterance", "question"};
  const auto has = [&](std::string_view name) {
    return std::any_of(features.begin(), features.end(), [&](const Feature& feature) {
      return feature.name == name && feature.kind == Feature::Kind::Text;
    });
  };
  for (const auto& pair : kPairs) {
    if (has(pair[0]) && has(pair[1])) return fmt::format("{{{}}}\n{{{}}}", pair[0], pair[1]);
  }
  const Feature* text = find(features, Feature::Kind::Text, kNames);
  if (text == nullptr) throw DataError(place + ": expected a feature of texts, found none");
  return text->name;
}

std::string map_of(const Feature& feature) {
  std::string map;
  for (std::size_t i = 0; i < feature.names.size(); ++i) {
    map += fmt::format("{}{}: \"{}\"", i > 0 ? ", " : "", yaml_text(feature.names[i]), i);
  }
  return "{" + map + "}";
}

// A column for each label: two or more booleans.
std::vector<std::string> flags_of(std::span<const Feature> features) {
  std::vector<std::string> flags;
  for (const Feature& feature : features) {
    if (feature.kind == Feature::Kind::Flag) flags.push_back(feature.name);
  }
  return flags.size() > 1 ? flags : std::vector<std::string>();
}

std::string labels_of(std::span<const Feature> features,
                      const std::string& text,
                      const std::string& place) {
  const Feature* const classes = find(features, Feature::Kind::Classes, kHubLabelNames);
  const Feature* const one = find(features, Feature::Kind::Class, kHubLabelNames);
  if (classes != nullptr || one != nullptr) {
    const Feature& labels = classes == nullptr ? *one : *classes;
    std::string lines = fmt::format("labels: {{{}: {}}}\n", classes == nullptr ? "class" : "column",
                                    yaml_text(labels.name));
    return labels.names.empty() ? lines : lines + fmt::format("label_map: {}\n", map_of(labels));
  }
  const Feature* const texts = find(features, Feature::Kind::Texts, kHubLabelNames);
  if (texts != nullptr) return fmt::format("labels: {{column: {}}}\n", yaml_text(texts->name));
  if (const std::vector<std::string> flags = flags_of(features); !flags.empty()) {
    return fmt::format("labels: {{columns: {}}}\n", flow_list(flags));
  }
  for (const std::string_view name : kHubLabelNames) {
    for (const Feature& feature : features) {
      const bool is_one =
          feature.kind == Feature::Kind::Text || feature.kind == Feature::Kind::Number;
      if (is_one && feature.name == name && feature.name != text) {
        return fmt::format("labels: {{class: {}}}\n", yaml_text(feature.name));
      }
    }
  }
  std::vector<std::string> names;
  for (const Feature& feature : features) names.push_back(feature.name);
  throw DataError(fmt::format(
      "{}: expected a feature of classes, or one called label, found none (features: {}); write a "
      "task file for its tables",
      place, fmt::join(names, ", ")));
}

}  // namespace

HubTask find_hub_task(const fs::path& folder, const std::string& name, const std::string& config) {
  std::vector<HubConfig> configs = read_hub_configs(folder);
  if (configs.empty()) configs.emplace_back();
  const HubConfig& chosen = choose_config(configs, name, config);
  const std::vector<FoundTable> tables = tables_below(folder);
  if (tables.empty()) fail_without_tables(folder);
  HubTask task;
  if (configs.size() > 1 && chosen.name != "default") task.config = chosen.name;
  task.tables = chosen.files.empty() ? tables_by_names(tables, chosen)
                                     : tables_by_patterns(tables, chosen, folder);
  if (task.tables.empty()) fail_without_tables(folder);
  task.features = chosen.features;
  return task;
}

std::string describe_features(std::span<const Feature> features, const std::string& place) {
  const bool has_id = std::any_of(features.begin(), features.end(), [](const Feature& feature) {
    return feature.name == "id" &&
           (feature.kind == Feature::Kind::Text || feature.kind == Feature::Kind::Number);
  });
  const std::string text = text_of(features, place);
  return fmt::format("{}text: {}\n{}", has_id ? "id: id\n" : "", yaml_text(text),
                     labels_of(features, text, place));
}

}  // namespace labelprobe::data
