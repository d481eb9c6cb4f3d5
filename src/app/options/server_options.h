// The options of a model behind a server, and what such a model does not do.
#pragma once

#include "app/options/option.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

// After the groups whose options it refuses by name where the model is an address.
void declare_server(OptionList& options, RunSettings& run);

}  // namespace labelprobe::app
