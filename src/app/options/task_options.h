// What the task file of a data set gives for options, where the path of one stands for the name.
#pragma once

#include <string>
#include <vector>

#include "app/options/option.h"

namespace labelprobe::app {

// Adds to `given` what the task file says about options that nothing else gives, and the file
// itself as the option task_file. Does nothing for a data set that has a name. Throws ConfigError
// for what is wrong with the file.
//   known  names of options of any command: as in config files, those of others are ignored
void read_task_options(const OptionList& options,
                       std::vector<std::string> (*known)(),
                       GivenValues& given);

}  // namespace labelprobe::app
