// A data set of the Hugging Face hub, in a folder, as a task file.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "data/forms/hub_info.h"
#include "data/forms/task_text.h"

namespace labelprobe::data {

struct HubTask {
  std::string config;  // of several the one that was chosen; else empty
  SplitTables tables;
  std::vector<Feature> features;  // empty: nobody says what the columns are
};

// What a folder holds.
//   config  the configuration; empty = the only one, or the default one
// Throws ConfigError where several may be meant, or none has the name, and DataError where no
// tables are there.
HubTask find_hub_task(const std::filesystem::path& folder,
                      const std::string& name,
                      const std::string& config);

// The lines of a task file behind `files`. Throws DataError where the features have no texts or no
// labels.
std::string describe_features(std::span<const Feature> features, const std::string& place);

}  // namespace labelprobe::data
