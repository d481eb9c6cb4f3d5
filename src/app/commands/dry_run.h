// What --dry-run shows: everything that can be known before weights are loaded.
#pragma once

#include <ostream>

#include "app/commands/run_setting.h"

namespace labelprobe::app {

void describe_dry_run(std::ostream& out, const PreparedSetting& setting);

}  // namespace labelprobe::app
