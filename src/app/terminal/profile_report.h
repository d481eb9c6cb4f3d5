// What --profile tells at the end of a run: where the time of the model went.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "labelprobe/model/profile.h"

namespace labelprobe::app {

// Lines of text, without line breaks.
std::vector<std::string> describe_profile(const model::ProfileSummary& summary,
                                          const std::filesystem::path& trace);

}  // namespace labelprobe::app
