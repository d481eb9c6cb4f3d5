// What --help prints, fitted to the terminal.
#pragma once

#include <string>

#include "app/commands/command.h"

namespace labelprobe::app {

// The commands, one line each.
std::string describe_program();

// Usage, an example, and the options that most people need; or all of them, by group.
std::string describe_command(const Command& command, bool shows_all);

// "run TASK [OPTIONS]"
std::string usage(const Command& command, const OptionList& options);

}  // namespace labelprobe::app
