// What a run takes on a card, in tables: for `plan`, and for dry runs that name a card.
#pragma once

#include <ostream>

#include "labelprobe/experiment/job.h"
#include "labelprobe/model/cost.h"

namespace labelprobe::app {

// Weights that are read in a second, in bytes, where nobody says how fast the disk is: a file
// system that several machines share.
inline constexpr double kUsualDiskRate = 2e9;

// The device of the job is the name of a card. Throws as model::estimate_cost().
//   n_processes  that compute the model together
model::Cost cost_of(const experiment::PreparedJob& prepared, double disk_rate, int n_processes = 1);

// What each of several processes holds of the model; nothing of one alone. Throws as
// model::share_sizes() does.
void describe_shares(std::ostream& out, const experiment::PreparedJob& prepared, int n_processes);

void describe_cost(std::ostream& out, const model::Cost& cost);

}  // namespace labelprobe::app
