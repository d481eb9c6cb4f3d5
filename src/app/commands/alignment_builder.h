// Puts the table of `labelprobe align` together: votes of a data set, then rows of runs, scores
// files and constant predictions, then differences between rows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/analysis/table.h"
#include "labelprobe/analysis/votes.h"
#include "labelprobe/data/dataset.h"

#include "app/commands/estimated_rows.h"
#include "app/commands/logged_run.h"

namespace labelprobe::app {

// A data set's labels and what its annotators chose.
struct VotedSet {
  LabelSet label_set;
  std::set<std::string> example_ids;  // all of the splits, with votes or without
  analysis::Votes votes;
  std::vector<std::string> warnings;
};

// Reads annotators and aggregate of the splits, all positions of them. Throws ConfigError if the
// data set has no annotators.
VotedSet load_votes(const std::string& task, data::DatasetOptions options);

// By example id: [n_labels].
using ProbsByExample = std::map<std::string, std::vector<double>>;

class AlignmentBuilder {
 public:
  // `table`'s task, labels and warnings are filled from the set.
  AlignmentBuilder(std::string task, VotedSet set, std::optional<analysis::PaperTable> paper);

  // Says which examples the table is about: those that the runs have; without runs those of the
  // scores files. Throws DataError if none of a run's examples belongs to the set.
  void choose_examples(std::span<const EstimatedRow> rows,
                       std::span<const std::pair<std::string, ProbsByExample>> scores);

  void add_run(const EstimatedRow& row);

  // The same row calibrated: weight and bias fitted on `run`, whose examples `votes` holds. A
  // warning instead of the row if that cannot be fitted.
  void add_calibrated(const EstimatedRow& row, const LoggedRun& run, const analysis::Votes& votes);

  // Probabilities of a file under the name its user gave it.
  void add_scores(const std::string& name,
                  const std::filesystem::path& path,
                  const ProbsByExample& probs);

  // The same probabilities for every example.
  void add_constant(const std::vector<double>& rates, const std::string& note);

  void add_differences(const std::string& against,
                       int n_resamples,
                       std::int64_t seed,
                       double level);

  const LabelSet& label_set() const { return set_.label_set; }
  const analysis::Votes& votes() const { return set_.votes; }

  // With warnings about the rows as a whole added.
  analysis::AlignmentTable finish();

 private:
  analysis::AlignmentRow& add_row(const std::string& method,
                                  const std::string& estimator,
                                  const ProbsByExample& probs);
  std::size_t find_row(const std::string& name) const;

  VotedSet set_;
  analysis::AlignmentTable table_;
};

}  // namespace labelprobe::app
