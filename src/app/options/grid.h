// Grids: one command line that stands for several settings. Rules of the published programs:
//   --shot 0 5 --seed 1 2     every combination, the first flag declared changing fastest
//   { --shot 0 } { --shot 5 --seed 1 2 }
//                             each group with the flags outside of it; groups may hold groups.
//                             Where both set a flag the group's counts.
//   --train-pred-log-dir a|b c
//                             two lists: of a and b, and of c
//   _None_                    unset, whatever a config file says
//   args.shot                 the value that the same setting has for --shot
//   --seed -1                 seeds 0 to 4
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/options/command_line.h"
#include "app/options/option.h"

namespace labelprobe::app {

inline constexpr std::string_view kUnset = "_None_";

// The command lines that the groups of one command line stand for, in order; itself if it has none.
// Braces group where they stand alone or hug the first or last argument of a group (`{--shot 0}`);
// an argument whose braces are balanced, such as a template, is left alone. Throws ConfigError for
// a brace without its partner.
std::vector<std::vector<Word>> expand_groups(const std::vector<std::string>& args);

// One element for each combination of values, references replaced. Types are not looked at.
// Throws ConfigError for a reference to nothing or to itself, and for more than kMostSettings.
inline constexpr std::size_t kMostSettings = 10'000;
std::vector<GivenValues> expand_values(std::span<const Option> declared, const GivenValues& given);

// What sets each setting apart from the others, by what is logged of them: "shot 5, seed 1"; "" if
// nothing does.
std::vector<std::string> describe_differences(std::span<const std::vector<record::Param>> settings);

}  // namespace labelprobe::app
