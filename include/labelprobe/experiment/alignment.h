// Runs of a data set held against what its annotators chose: reads the votes, makes the estimates
// and puts the table together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "labelprobe/analysis/alignment_builder.h"
#include "labelprobe/analysis/estimators.h"
#include "labelprobe/analysis/run_log.h"
#include "labelprobe/analysis/votes.h"
#include "labelprobe/data/dataset.h"

namespace labelprobe::experiment {

// Reads annotators and aggregate of the splits, all positions of them; soft labels stand for votes
// where a set has those in their place. Throws ConfigError if the data set has neither.
analysis::VotedSet load_votes(const std::string& task, data::DatasetOptions options);

// The same; without votes where the data set has none.
analysis::VotedSet load_votes_if_any(const std::string& task, data::DatasetOptions options);

struct AlignmentRequest {
  std::string task;
  data::DatasetOptions train;  // whose mean labels are the base rate; without splits the votes'
  std::vector<analysis::RunLog> runs;
  std::vector<analysis::NamedScores> scores;  // name and path; estimates are read here
  analysis::Calibration calibration;
  std::vector<analysis::AnswerPosition> answers = {analysis::AnswerPosition::Greedy};
  std::vector<std::string> calibrators;                 // see analysis::parse_calibrators()
  analysis::AlignmentOptions options;                   // but for the calibrators
  std::optional<analysis::BootstrapOptions> bootstrap;  // differences against the row `against`
  std::string against;                                  // empty = the first row
};

// Throws what reading the files throws, and ConfigError for what does not fit together.
analysis::AlignmentTable align_runs(AlignmentRequest request, analysis::VotedSet votes);

}  // namespace labelprobe::experiment
