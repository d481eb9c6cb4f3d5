// The options of readouts: what is read off the model beside the greedy answers, and how exactly.
#pragma once

#include "labelprobe/experiment/settings.h"

#include "app/options/option.h"

namespace labelprobe::app {

void declare_readouts(OptionList& options, experiment::ReadoutSettings& readouts);

}  // namespace labelprobe::app
