// A number for each label, as a flag takes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/label_set.h"

namespace labelprobe::app {

// [n_labels] of "joy=0.1", "fear=0.2", ...: each label once, in any order; empty if nothing was
// given. Throws ConfigError, which begins with the flag, for anything else.
std::vector<double> parse_by_label(std::string_view flag,
                                   const std::vector<std::string>& given,
                                   const LabelSet& label_set);

}  // namespace labelprobe::app
