// Runs under the names that figures and tables call them: the experiments of a folder, taken
// together.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/record/logged_run.h"

namespace labelprobe::analysis {

struct NamedRuns {
  std::string set;    // "GoEmotions"; empty if neither the name nor the log tells
  std::string model;  // "Llama-3.1-8B-Instruct"; likewise
  std::vector<record::LoggedRun> experiments;  // at least one

  // "GoEmotions/Llama-3.1-8B-Instruct", or the one of both that is known, or the folder.
  std::string name() const;
};

// What record::read_named_runs() finds under each of `given`.
//   names  "SET/MODEL", or MODEL alone, one for each; none = as the logs tell
// Throws ConfigError if there are fewer or more names than runs, DataError as read_named_runs().
std::vector<NamedRuns> read_all_named(std::span<const std::string> given,
                                      std::span<const std::string> names);

// Throws ConfigError unless there is a name for each of `n_given`, or none.
void check_names(std::size_t n_given, std::span<const std::string> names);

// "SET/MODEL", or "MODEL", which leaves the set as it is.
void take_name(const std::string& name, std::string& set, std::string& model);

}  // namespace labelprobe::analysis
