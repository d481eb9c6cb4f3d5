// A finished run as estimates are made from it: its items, what they ask, which model answered.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "labelprobe/core/item_id.h"
#include "labelprobe/core/label_set.h"
#include "labelprobe/record/item_record.h"

namespace labelprobe::app {

struct LoggedRun {
  std::filesystem::path folder;
  int experiment = 0;
  ItemId::Kind kind = ItemId::Kind::Example;  // baseline, unary or binary
  bool is_tuned = false;                      // of a fine-tuned model: rows of their own
  std::string model;                          // by its params.yml; empty if that does not tell
  std::vector<record::ItemRecord> items;
};

enum class ModelState { Plain, Tuned };

// Reads one experiment (by default the last) of a log folder and checks that it is of `task`.
// Throws DataError or ConfigError (place, expected, found, nearest) if the folder is none of a run,
// the experiment does not exist, the items ask for nothing that estimators use, or their labels are
// those of another data set.
LoggedRun load_run(const std::filesystem::path& folder,
                   std::optional<int> experiment,
                   ModelState state,
                   const std::string& task,
                   const LabelSet& label_set);

// "<folder>, experiment 0", as tables and messages name it.
std::string describe(const LoggedRun& run);

}  // namespace labelprobe::app
