// From the words of a command line to what was given for each option. Taken are
//   --root-dir X   --root-dir=X   --root_dir X   --root X (where no other flag begins so)
//   --seed -1      values may begin with one dash
//   -- X           what follows is never a flag
// Of a flag given again the last counts.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "app/options/option.h"

namespace labelprobe::app {

enum class Grids { Taken, None };  // whether options that span a grid take several values

// `owners` tells which commands know a flag that this one does not, e.g. " (a flag of labelprobe
// assess)". Throws ConfigError for an unknown flag, naming the nearest; for a beginning of several;
// and for operands and values that are missing or too many.
GivenValues parse_command_line(std::span<const std::string> args,
                               const OptionList& options,
                               Grids grids,
                               const std::function<std::string(const std::string& flag)>& owners);

}  // namespace labelprobe::app
