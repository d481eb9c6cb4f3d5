// The log of a classifier that is trained, in the layout of the published Demux logs: labels as
// numbers, scores as lists in label-set order, and on the dev role one value per evaluation.
// Folders are chosen, locked and taken up as those of other runs (run.h); what an interrupted
// training goes on from is the trainer's to keep.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "labelprobe/core/label_set.h"
#include "labelprobe/record/run.h"

namespace labelprobe::record {

struct ScoredLabels {
  std::vector<float> scores;  // [n_labels], probabilities
  Labels predicted;
};

struct ScoredItem {
  std::string key;        // ItemId::log_key()
  std::string annotator;  // "aggregate", or whose labels are the gold ones
  std::string text;
  Labels gold;
  std::optional<ScoredLabels> test;  // of the weights that count; unset: not of the test role
  std::vector<ScoredLabels> dev;     // one per evaluation; none: not of the dev role
};

struct TrainingLog {
  LabelSet label_set;
  std::vector<ScoredItem> items;  // each key once
  std::map<std::string, double> test_metrics;
  std::map<std::string, std::map<std::string, double>> annotator_metrics;  // of the test role
  // By metric ("macro_f1"), one per evaluation; and the steps at which these were.
  std::map<std::string, std::vector<double>> dev_metrics;
  std::vector<std::int64_t> steps;
  std::optional<std::size_t> best;  // which evaluation was best, where one was looked for
};

class TrainingRun {
 public:
  // As Run::open().
  explicit TrainingRun(const RunRequest& request);
  ~TrainingRun();

  const std::filesystem::path& folder() const;
  int experiment_index() const;
  bool was_finished() const;  // by an earlier process: there is nothing to train
  const std::vector<std::string>& notes() const;
  void add_provenance(const Provenance& provenance);

  // Writes the YAML files and closes the experiment.
  void finish(const TrainingLog& log);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The scores of the test role in a log: by key (an ending `__aggregate` is taken off), as many as
// the log's labels.
using ScoreLists = std::map<std::string, std::vector<double>>;

// Reads them of an experiment, by default the first, of our own logs and of the published
// program's. Throws DataError (file, line, expected, found), ConfigError naming the experiments
// there are.
ScoreLists read_score_lists(const std::filesystem::path& folder, int index);

}  // namespace labelprobe::record
