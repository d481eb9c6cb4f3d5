// A job of which one shard is computed, and what it has in common with whole ones.
#pragma once

#include <functional>

#include "labelprobe/experiment/job.h"

namespace labelprobe::experiment {

using ComputedWork = std::function<Outcome(const ModelOpener& open_model,
                                           const std::function<void(const Progress&)>& on_progress,
                                           IfFailed if_failed)>;

// Does `work` with the log open, and notes in the result how it ended.
void compute(const PreparedJob& prepared,
             Workbench& workbench,
             JobListener& listener,
             record::ItemLog& files,
             JobResult& result,
             const ComputedWork& work);

// See carry_out().
JobResult carry_out_shard(const PreparedJob& prepared, Workbench& workbench, JobListener& listener);

}  // namespace labelprobe::experiment
