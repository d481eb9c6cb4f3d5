// A finished run as estimates are made from it: what its items ask, whose answers they are.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "labelprobe/core/item_id.h"
#include "labelprobe/core/label_set.h"
#include "labelprobe/record/logged_run.h"

namespace labelprobe::app {

struct LoggedRun : record::LoggedRun {
  ItemId::Kind kind = ItemId::Kind::Example;  // baseline, unary or binary
  bool is_tuned = false;                      // of a fine-tuned model: rows of their own
};

enum class ModelState { Plain, Tuned };

// record::read_run() and record::check_labels(). Throws ConfigError if the items ask for nothing
// that estimators use.
LoggedRun load_run(const std::filesystem::path& folder,
                   std::optional<int> experiment,
                   ModelState state,
                   const std::string& task,
                   const LabelSet& label_set);

}  // namespace labelprobe::app
