// The options of `labelprobe demux`. Sources: the published training program's flags, and its
// script's settings, which stand in for those that are not given.
#pragma once

#include <optional>
#include <string>

#include <spdlog/common.h>

#include "labelprobe/data/dataset.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/record/run.h"
#include "labelprobe/training/demux.h"

#include "app/options/option.h"
#include "app/terminal/colour.h"

namespace labelprobe::app {

struct DemuxOptions {
  std::string task;
  data::DatasetOptions train;
  data::DatasetOptions dev;
  data::DatasetOptions test;
  experiment::PriorLog train_prior;
  std::string encoder;  // folder or name in the Hugging Face cache
  training::DemuxSettings demux;
  record::RunRequest request;
  bool is_dry_run = false;
  bool hides_progress = false;
  bool is_quiet = false;
  Colour colour = Colour::Auto;
  spdlog::level::level_enum logging_level = spdlog::level::info;
};

void declare_demux(OptionList& options, DemuxOptions& demux);

// The parameters as they are logged: those that nobody gave as the data set's regime has them.
void complete_params(const DemuxOptions& demux, std::vector<record::Param>& params);

}  // namespace labelprobe::app
