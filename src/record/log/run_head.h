// What a log says of a run as a whole: which experiment is meant, its parameters, model and plan.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "labelprobe/record/logged_run.h"

namespace labelprobe::record {

enum class Unfinished { Refused, Taken };

// A run without its items, and without a plan where only these tell it. Throws as read_run().
LoggedRun read_head(const std::filesystem::path& folder,
                    std::optional<int> index,
                    Unfinished unfinished);

// The experiments of a folder that are finished, in its order; none where there is no log.
struct FinishedExperiments {
  std::vector<int> indices;
  // Whether every experiment's own parameters are known: the published program keeps the last's.
  bool have_params = false;
};
FinishedExperiments find_finished(const std::filesystem::path& folder);

}  // namespace labelprobe::record
