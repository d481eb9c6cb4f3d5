// A finished run as estimates are made from it: its items, what they ask, which model answered.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "labelprobe/analysis/estimators.h"
#include "labelprobe/core/label_set.h"
#include "labelprobe/record/logged_run.h"

namespace labelprobe::analysis {

struct RunLog : record::LoggedRun {
  ModelState model_state = ModelState::Plain;
};

// record::read_run() and record::check_labels(). A plain run with an adapter is one of a tuned
// model whatever `state` says. Throws ConfigError if the items ask for nothing that estimators use.
RunLog read_run_log(const std::filesystem::path& folder,
                    std::optional<int> experiment,
                    ModelState state,
                    const std::string& task,
                    const LabelSet& label_set);

}  // namespace labelprobe::analysis
