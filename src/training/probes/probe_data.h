// From a run's log and its hidden states to what probes are trained on.
#pragma once

#include <cstdint>
#include <filesystem>

#include "labelprobe/record/logged_run.h"
#include "labelprobe/training/probes.h"

namespace labelprobe::training {

// The items of a run with their states. Throws DataError if states are of items that the log does
// not have, and ConfigError if the run asks for something else than the labels of an example.
ProbeItems read_probe_items(const record::LoggedRun& run,
                            const std::filesystem::path& states,
                            std::int64_t layer);

// States before the first label; those that are all zeros are left out.
record::ItemStates read_first_states(const std::filesystem::path& states, std::int64_t layer);

}  // namespace labelprobe::training
