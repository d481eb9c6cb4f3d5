// Options of the log that runs of every kind leave.
#pragma once

#include <string_view>

#include <spdlog/common.h>

#include "labelprobe/record/run.h"

#include "app/options/option.h"

namespace labelprobe::app {

// "--again".
void declare_again(OptionList& options, record::RunRequest& request);

// Where the log goes and what it is called.
//   log_root  where nobody says otherwise
void declare_log_folder(OptionList& options,
                        record::RunRequest& request,
                        std::string_view log_root);

void declare_logging_level(OptionList& options, spdlog::level::level_enum& level);

}  // namespace labelprobe::app
