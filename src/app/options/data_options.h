// What declare_data() and declare_questions() have in common: the examples that there are.
#pragma once

#include "labelprobe/data/dataset.h"
#include "labelprobe/experiment/settings.h"

#include "app/options/option.h"

namespace labelprobe::app {

// The roles of one data set; those who train have a dev role.
struct DataRoles {
  data::DatasetOptions& train;
  data::DatasetOptions& test;
  data::DatasetOptions* dev = nullptr;
};
void declare_data_group(OptionList& options, const DataRoles& roles);

// The logs of earlier runs whose predictions are prior labels, in the same group.
void declare_prior_logs(OptionList& options, experiment::Settings& settings);
// Likewise of the train role alone, for those who train.
void declare_train_prior(OptionList& options, experiment::PriorLog& log);

}  // namespace labelprobe::app
