// What a process holds of a model that several compute together (parallel/share.h), in bytes.
#pragma once

#include <vector>

#include "labelprobe/model/cost.h"

#include "model/cost/planned_model.h"

namespace labelprobe::model::cost {

std::vector<ShareSizes> sizes_of(const PlannedModel& model, int n_processes);

// The first process's part as a model by itself: as many products and keys as it computes.
PlannedModel first_share(const PlannedModel& model, int n_processes);

}  // namespace labelprobe::model::cost
