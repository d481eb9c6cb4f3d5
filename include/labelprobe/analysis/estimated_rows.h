// All estimates that a set of runs allows, in the order of the paper's tables. `align` compares
// them with votes, `distributions` writes them.
#pragma once

#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/analysis/estimators.h"
#include "labelprobe/analysis/run_log.h"
#include "labelprobe/analysis/votes.h"
#include "labelprobe/core/label_set.h"

namespace labelprobe::analysis {

struct EstimatedRow {
  const Estimator* estimator = nullptr;
  const RunLog* run = nullptr;           // null: the estimator does not apply to the label set
  std::optional<AnswerPosition> answer;  // of estimators that have positions
  Estimates estimates;

  // "Unary (greedy)"
  std::string name() const;
};

// "greedy", "first" and "healed", each once; ConfigError naming them for anything else.
std::vector<AnswerPosition> parse_answers(const std::vector<std::string>& names);

// One row per estimator, run of its kind and answer position. Estimators of multi-label sets that
// do not apply to this one get a row without a run.
//   names     only these estimators; empty = all. Throws ConfigError for one that is unknown or
//             that none of the runs allows.
//   warnings  what the estimators warn of is added, each sentence once a run
std::vector<EstimatedRow> estimate_rows(std::span<const RunLog> runs,
                                        std::span<const AnswerPosition> answers,
                                        const LabelSet& label_set,
                                        const std::vector<std::string>& names,
                                        std::vector<std::string>& warnings);

// The estimator on one run; messages of its errors begin with the run.
Estimates estimate_run(const Estimator& estimator,
                       const RunLog& run,
                       const LabelSet& label_set,
                       const EstimatorOptions& options);

// The position's name; empty if unset.
std::string describe(const std::optional<AnswerPosition>& answer);

// As YAML, estimator -> id -> label -> probability; with several positions, the keys of estimators
// that have them end in "_<position>". Throws ConfigError if two runs have the same key.
// Rows without a run are left out, here and in JSON lines.
void write_distributions_yaml(std::ostream& out,
                              std::span<const EstimatedRow> rows,
                              const LabelSet& label_set,
                              std::size_t n_answers);

// One line per row, example and label.
void write_distributions_csv(std::ostream& out,
                             std::span<const EstimatedRow> rows,
                             const LabelSet& label_set);

// One line per row and example: {"id", "estimator", "method", "answer", "run", "experiment",
// "probs"}. `estimator` is the name that flags take, `method` the title of the tables.
void write_distributions_json_lines(std::ostream& out,
                                    std::span<const EstimatedRow> rows,
                                    const LabelSet& label_set);

// One line per example: {"id", "shares", "gold", "n_annotators"}, null for soft labels.
void write_votes_json_lines(std::ostream& out, const Votes& votes, const LabelSet& label_set);

}  // namespace labelprobe::analysis
