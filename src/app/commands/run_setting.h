// One setting of a run, from options to files. Prepared first, so that the mistakes of every
// setting are known before any of them runs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "labelprobe/experiment/preparation.h"
#include "labelprobe/model/profile.h"
#include "labelprobe/record/run.h"

#include "app/commands/workbench.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

// Everything short of loading weights and writing files.
struct PreparedSetting {
  experiment::Settings settings;
  bool shows_progress = true;
  std::vector<std::string> idle_options;  // sentences
  ModelLoading loading;
  std::string device;  // that the run will be on
  model::ModelInfo model_info;
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer;
  experiment::Preparation preparation;
  record::RunRequest request;
  std::unique_ptr<model::Profile> profile;  // null where none was asked for
};

// Throws ConfigError, DataError or ModelError.
PreparedSetting prepare_setting(const Setting<RunSettings>& given,
                                Workbench& workbench,
                                spdlog::logger& log);

// What a person should know before it runs, in sentences.
std::vector<std::string> describe_warnings(const PreparedSetting& setting);

// Runs it to its end and writes the log folder's name to standard output. Returns the exit code.
int run_setting(const PreparedSetting& setting, Workbench& workbench, spdlog::logger& log);

}  // namespace labelprobe::app
