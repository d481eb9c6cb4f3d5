// From a setting's options to what the rooms below want. Each mistake is reported where the option
// was given.
#pragma once

#include <string>
#include <vector>

#include "labelprobe/data/dataset.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/model/language_model.h"

#include "app/options/options.h"

namespace labelprobe::app {

// What is read for one role, "train" or "test"; from kDataGroup alone.
data::DatasetOptions make_dataset_options(const Options& options, const std::string& role);

// The options of the data, prompt, distribution and pair groups; those of the groups a command did
// not declare keep their defaults.
experiment::Settings make_settings(experiment::Program program,
                                   const std::string& task,
                                   const Options& options);

// Adds kModelGroup and kRunGroup to what make_settings() made.
void add_model_settings(const Options& options, experiment::Settings& settings);

// From kLoadingGroup.
model::OpenOptions make_open_options(const Options& options);

// A sentence for each option that was set in vain and whose user may think otherwise.
std::vector<std::string> describe_ignored(const Options& options);

}  // namespace labelprobe::app
