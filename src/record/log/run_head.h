// What a log says of a run as a whole: which experiment is meant, its parameters, model and plan.
#pragma once

#include <filesystem>
#include <optional>

#include "labelprobe/record/logged_run.h"

namespace labelprobe::record {

enum class Unfinished { Refused, Taken };

// A run without its items, and without a plan where only these tell it. Throws as read_run().
LoggedRun read_head(const std::filesystem::path& folder,
                    std::optional<int> index,
                    Unfinished unfinished);

}  // namespace labelprobe::record
