// From the settings of `run`, `classify` and `assess` to the jobs that experiment carries out.
#pragma once

#include <string>
#include <vector>

#include "labelprobe/experiment/grid.h"

#include "app/commands/command.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

// Each named by what sets it apart from the others.
std::vector<experiment::GridJob> make_jobs(const std::vector<GridSetting<RunSettings>>& settings);

// The jobs of a command line of `labelprobe run` or `classify`, which it begins with. Throws as
// execute() does.
std::vector<experiment::GridJob> read_jobs(const std::vector<std::string>& command_line);

//   model  whose device and threads serve where the encoder's own are not given
experiment::SentenceEncoderChoice choose_encoder(const SentenceEncoderSettings& encoder,
                                                 const model::OpenOptions& model);

}  // namespace labelprobe::app
