// The settings of a run that is over, from the options in its log.
#pragma once

#include <string>

#include "labelprobe/experiment/settings.h"
#include "labelprobe/record/run_origin.h"

namespace labelprobe::app {

// What decides the run's examples and prompts; not what loads models or writes logs.
//   plan  as record::LoggedRun has it
// Throws ConfigError as the options do, and for a log that tells no options.
experiment::Settings logged_settings(const std::string& task,
                                     const std::string& plan,
                                     const record::OptionValues& logged);

}  // namespace labelprobe::app
