// From the words of a command line to what was given for each option. Taken are
//   --root-dir X   --root-dir=X   --root_dir X   --root X (where no other flag begins so)
//   -m X           letters, alone
//   --seed -1      values may begin with one dash, or with more that no letter follows, unless they
//                  are a letter's flag
//   -- X           what follows is never a flag
//   --shot 0 --shot 5
//                  values of a list, or of a grid, add up; of any other option two different values
//                  are refused, unless a group of a grid (see grid.h) sets it anew
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "app/options/option.h"

namespace labelprobe::app {

enum class Grids { Taken, None };  // whether options that span a grid take several values

// A word of a command line, and how many groups of a grid it stands in: what a group sets counts
// more than what stands outside of it.
struct Word {
  std::string text;
  int depth = 0;
};

// The words of a command line without groups.
std::vector<Word> words_of(std::span<const std::string> args);

// `owners` tells which commands know a flag that this one does not, e.g. " (a flag of labelprobe
// assess)". Throws ConfigError for an unknown flag, naming the nearest; for a beginning of several;
// for values that are missing or too many, or differ; and for a required operand that is missing
// while a flag took several words, naming the flag.
GivenValues parse_command_line(std::span<const Word> words,
                               const OptionList& options,
                               Grids grids,
                               const std::function<std::string(const std::string& flag)>& owners);

}  // namespace labelprobe::app
