// What declare_data() and declare_questions() have in common: the examples that there are.
#pragma once

#include "labelprobe/data/dataset.h"
#include "labelprobe/experiment/settings.h"

#include "app/options/option.h"

namespace labelprobe::app {

// Both roles of one data set.
void declare_data_group(OptionList& options,
                        data::DatasetOptions& train,
                        data::DatasetOptions& test);

// The logs of earlier runs whose predictions are prior labels, in the same group.
void declare_prior_logs(OptionList& options, experiment::Settings& settings);

}  // namespace labelprobe::app
