// What --dry-run shows: everything that can be known before weights are loaded.
#pragma once

#include <ostream>

#include "labelprobe/experiment/job.h"
#include "labelprobe/model/profile.h"

namespace labelprobe::app {

//   profile  that will watch the model; null = none
//   shows_all  every option, not only those that are not the default
void describe_dry_run(std::ostream& out,
                      const experiment::PreparedJob& prepared,
                      const model::Profile* profile,
                      bool shows_all);

}  // namespace labelprobe::app
