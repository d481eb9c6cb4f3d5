// What --dry-run shows: everything that can be known before weights are loaded.
#pragma once

#include <ostream>

#include "labelprobe/experiment/job.h"
#include "labelprobe/model/profile.h"

namespace labelprobe::app {

//   profile  that will watch the model; null = none
void describe_dry_run(std::ostream& out,
                      const experiment::PreparedJob& prepared,
                      const model::Profile* profile);

}  // namespace labelprobe::app
