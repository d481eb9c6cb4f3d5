// The votes that estimates are compared with, from a data set's files.
#pragma once

#include <string>

#include "labelprobe/analysis/votes.h"
#include "labelprobe/data/dataset.h"

namespace labelprobe::app {

// Reads annotators and aggregate of the splits, all positions of them. Throws ConfigError if the
// data set has no annotators.
analysis::VotedSet load_votes(const std::string& task, data::DatasetOptions options);

}  // namespace labelprobe::app
