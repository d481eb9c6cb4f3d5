// Puts the table of an alignment together: votes of a data set, then rows of runs, scores files and
// constant predictions, then differences between rows.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/analysis/calibration.h"
#include "labelprobe/analysis/distributions.h"
#include "labelprobe/analysis/estimated_rows.h"
#include "labelprobe/analysis/table.h"
#include "labelprobe/analysis/votes.h"

namespace labelprobe::analysis {

// Probabilities of a file under the name its user gave it.
struct NamedScores {
  std::string name;
  std::filesystem::path path;
  Distributions estimates;
};

// Runs to calibrate on, with the votes of their own split.
struct Calibration {
  std::vector<RunLog> runs;
  Votes votes;
};

// A calibrator whose rows are cross-fitted on the table's own votes.
struct CrossFittedCalibrator {
  const Calibrator* calibrator = nullptr;
  int n_folds = 0;  // 0 where it reads no votes
};

struct AlignmentOptions {
  std::optional<PaperTable> paper;  // whose cells stand beside the rows
  bool has_labels = false;          // every row is followed by one per label
  // Every row of a run or a file is followed by one per calibrator.
  std::vector<CrossFittedCalibrator> calibrators = {};
};

class AlignmentBuilder {
 public:
  // Throws ConfigError if the paper's table has no column for the data set.
  AlignmentBuilder(const std::string& task, VotedSet set, const AlignmentOptions& options);

  // Says which examples the table is about: those that the runs have; without runs those of the
  // scores files. Throws DataError if none of a run's examples belongs to the set.
  void choose_examples(std::span<const EstimatedRow> rows, std::span<const NamedScores> scores);

  // The rows of one state of the model. Each is followed by the same row calibrated, weight and
  // bias fitted on the calibration's run of the same kind and model; a warning instead of that row
  // if they cannot be fitted. Throws ConfigError for several such runs.
  void add_runs(std::span<const EstimatedRow> rows,
                ModelState state,
                const Calibration& calibration);

  void add_scores(const NamedScores& scores);

  // The same probabilities for every example.
  void add_constant(const std::vector<double>& rates, const std::string& note);

  // Compares all rows against one, named by number (from 1), method or estimator; empty = the
  // first. Throws ConfigError if `against` is no row with numbers, DataError if a row shares no
  // example.
  void add_differences(const std::string& against, const BootstrapOptions& options);

  const LabelSet& label_set() const { return set_.label_set; }
  const Votes& votes() const { return set_.votes; }

  // With warnings about the rows as a whole added.
  AlignmentTable finish();

 private:
  AlignmentRow& add_row(const std::string& method, const Distributions& estimates);
  void add_run(const EstimatedRow& row);
  void add_validity(const std::string& run, std::span<const record::ItemRecord> items);
  void add_answered(const Estimates& estimates, AlignmentRow& row) const;
  void add_calibrated(const EstimatedRow& row, const RunLog& run, const Votes& votes);
  // `estimates` calibrated, each example without its own votes; `add` makes a row of them. A
  // warning instead of the row if there is no fit.
  void add_cross_fitted(const std::string& method,
                        const Distributions& estimates,
                        const std::function<void(const Distributions&)>& add);
  std::size_t find_row(const std::string& name) const;

  VotedSet set_;
  AlignmentOptions options_;
  AlignmentTable table_;
};

// "platt" or "platt:10", calibrators and their folds (5 unless said). Throws ConfigError for one
// that is unknown, does not fit the label kind, needs content-free prompts, or has folds in vain.
std::vector<CrossFittedCalibrator> parse_calibrators(const std::vector<std::string>& given,
                                                     LabelKind kind);

// Throws ConfigError naming the run unless each run of the calibration serves one of the rows.
void check_calibration(const Calibration& calibration, std::span<const EstimatedRow> rows);

}  // namespace labelprobe::analysis
