// All estimates that a set of runs allows, in the order of the paper's tables. `align` compares
// them with votes, `distributions` writes them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/analysis/estimators.h"
#include "labelprobe/core/label_set.h"

#include "app/commands/logged_run.h"

namespace labelprobe::app {

struct EstimatedRow {
  const analysis::EstimatorInfo* info = nullptr;
  const LoggedRun* run = nullptr;                  // null: the estimator does not apply to the set
  std::optional<analysis::AnswerPosition> answer;  // of unary and binary runs
  analysis::Estimates estimates;

  // "Unary (greedy)"
  std::string name() const;
};

// "greedy", "first" and "healed", each once; ConfigError naming them for anything else.
std::vector<analysis::AnswerPosition> parse_answers(const std::vector<std::string>& names);

// One row per estimator, run of its kind and answer position. Estimators of multi-label sets that
// do not apply to this one get a row without a run.
//   names     only these estimators; empty = all. Throws ConfigError for one that is unknown or
//             that none of the runs allows.
//   warnings  what the estimators warn of is added, each sentence once a run
std::vector<EstimatedRow> estimate_rows(std::span<const LoggedRun> runs,
                                        std::span<const analysis::AnswerPosition> answers,
                                        const LabelSet& label_set,
                                        const std::vector<std::string>& names,
                                        std::vector<std::string>& warnings);

// The estimator on one run; messages of its errors begin with the run.
analysis::Estimates estimate_run(std::string_view estimator,
                                 const LoggedRun& run,
                                 const LabelSet& label_set,
                                 const analysis::EstimatorOptions& options);

// The position's name; empty if unset.
std::string describe(const std::optional<analysis::AnswerPosition>& answer);

}  // namespace labelprobe::app
