// The logged parameters of an experiment, from the manifest or, of the published program's logs,
// from params.yml.
#pragma once

#include <filesystem>

#include "labelprobe/record/logged_run.h"
#include "labelprobe/record/run_origin.h"

namespace labelprobe::record {

// Empty if the folder does not tell. Throws DataError (file, line) if the file that should tell is
// damaged.
LoggedParams read_params(const std::filesystem::path& folder, int index);

// The same, the elements of lists apart.
OptionValues read_option_values(const std::filesystem::path& folder, int index);

}  // namespace labelprobe::record
