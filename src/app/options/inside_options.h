// The options of what a run keeps of the model's insides.
#pragma once

#include "labelprobe/experiment/settings.h"

#include "app/options/option.h"

namespace labelprobe::app {

void declare_inside(OptionList& options, experiment::Settings& settings);

}  // namespace labelprobe::app
