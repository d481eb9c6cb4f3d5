// Processes that compute one model together, as the program meets them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "labelprobe/model/together.h"

namespace labelprobe::app {

// Whether the command computes with no model, such as --dry-run: then the first of several
// processes does it alone, and the others have nothing to do. Throws ConfigError as
// join_processes() does.
bool is_for_first_alone(const std::vector<std::string>& args);

// Null where this process is alone. Where another one is lost the program says so and ends with
// kModelError. Throws as model::join_processes() does.
std::unique_ptr<model::Together> join_processes();

// What all processes but the first do, whatever the command is. They end when that ends, and with
// it: signals that a terminal or a scheduler sends to all are for the first to obey.
int follow(model::Together& processes);

// Ends the others and throws ConfigError for a command that has nothing to share.
void check_can_share(const std::vector<std::string>& args, model::Together& processes);

}  // namespace labelprobe::app
