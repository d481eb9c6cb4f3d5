// How maps of task files are read: a table of keys and what is done with each value.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/yaml.h"

namespace labelprobe::data {

struct TaskFile;

template <typename Section>
struct Key {
  const char* name;
  void (*read)(const files::YamlView& value, Section& section);
};

// Throws ConfigError naming the nearest key unless every key of `map` is known, and once there.
void check_keys(const files::YamlView& map,
                std::string_view what,
                const std::vector<std::string>& known);

// Reads the keys in the order of the table.
//   others  further keys that the map may have, read elsewhere
template <typename Section>
void read_keys(const files::YamlView& map,
               std::string_view what,
               std::span<const Key<Section>> keys,
               Section& section,
               std::vector<std::string> others = {}) {
  std::vector<std::string> known;
  for (const Key<Section>& key : keys) known.emplace_back(key.name);
  known.insert(known.end(), others.begin(), others.end());
  check_keys(map, what, known);
  for (const Key<Section>& key : keys) {
    if (const auto value = map.find(key.name)) key.read(*value, section);
  }
}

// The keys that stand for options of the commands, and what a task file gives for them.
std::vector<std::string> task_option_keys();
void read_options(const files::YamlView& root, TaskFile& task);

}  // namespace labelprobe::data
