// The one set of distributions that a command goes on with, and where it came from.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/analysis/distributions.h"
#include "labelprobe/analysis/estimators.h"
#include "labelprobe/analysis/run_log.h"
#include "labelprobe/core/label_set.h"

namespace labelprobe::analysis {

struct ChosenEstimates {
  Distributions estimates;
  std::string place;   // "<folder>, experiment 0", or the path of a scores file
  std::string model;   // of the run; empty if unknown
  std::string answer;  // position that answers were read at; empty if there is none
  std::vector<std::string> warnings;
};

// The only estimate that the runs, the estimator and the answer positions allow.
//   estimator  its name; empty = the only one there is
// Throws ConfigError naming them if there are several, and what estimate_rows() throws.
ChosenEstimates choose_estimates(std::span<const RunLog> runs,
                                 std::span<const AnswerPosition> answers,
                                 const LabelSet& label_set,
                                 const std::string& estimator);

// read_scores(); the estimator's name is "scores".
ChosenEstimates choose_scores(const std::filesystem::path& path, const LabelSet& label_set);

}  // namespace labelprobe::analysis
