// Reads a written log back. Takes our own files and those of the published program alike: only the
// parsed YAML counts.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "labelprobe/record/item_record.h"

namespace labelprobe::record {

// One experiment of an indexed_metrics.yml.
struct LoggedExperiment {
  int index = 0;                  // of `experiment_<i>`
  std::vector<ItemRecord> items;  // in file order; label values in the file's (alphabetical) order
};

// The items of `experiment_<index>` below a log folder, by default the last one.
// Fields that the file does not have keep their defaults. Throws DataError (file, line, expected,
// found) if the file is missing or not of this form, ConfigError naming the experiments there are
// if `index` is none of them.
LoggedExperiment read_experiment(const std::filesystem::path& folder,
                                 std::optional<int> index = std::nullopt);

// The items of single annotators, as plain prompting logs them in annotator_preds.yml, of the
// experiment that read_experiment() reads; keys are log keys ("de0__ann7"). None where the folder
// has no such file or the experiment no such items. Errors as read_experiment().
std::vector<ItemRecord> read_annotator_predictions(const std::filesystem::path& folder,
                                                   std::optional<int> index = std::nullopt);

// Parameter name -> value as text: "null", "false", "10"; the elements of a list with commas
// between them.
using LoggedParams = std::map<std::string, std::string>;

// The parameters of `experiment_<index>`; empty if the folder does not tell. Throws DataError
// (file, line) if the file that should tell is damaged.
LoggedParams read_params(const std::filesystem::path& folder, int index);

}  // namespace labelprobe::record
