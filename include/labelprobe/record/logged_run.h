// A finished experiment, read back: the one place where logs are read. Takes our own folders, those
// of earlier versions and those of the published program alike; of the YAML files only the parsed
// value counts.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "labelprobe/core/label_set.h"
#include "labelprobe/record/item_record.h"

namespace labelprobe::record {

// Parameter name -> value as text: "null", "false", "10"; the elements of a list with commas
// between them.
using LoggedParams = std::map<std::string, std::string>;

struct LoggedRun {
  std::filesystem::path folder;
  int index = 0;        // of `experiment_<index>`
  std::string plan;     // how it asked: "baseline", "unary", "classify", ...
  std::string model;    // as given to --model-name-or-path; empty if the log does not tell
  LoggedParams params;  // likewise
  std::vector<ItemRecord> items;  // in file order
};

// "<folder>, experiment 0", as tables and messages name a run.
std::string describe(const LoggedRun& run);

enum class Annotators {
  Aggregate,  // only the items in indexed_metrics.yml
  All,        // then those of single annotators, which plain prompting logs in annotator_preds.yml
};

// The experiment of this index below a log folder, by default the last one. Fields that the files
// do not have keep their defaults. Throws DataError (file, line, expected, found) if the folder is
// none of a run, naming the nearest that is; if the experiment is unfinished; or if a file is not
// of its form. Throws ConfigError naming the experiments there are if `index` is none of them.
LoggedRun read_run(const std::filesystem::path& folder,
                   std::optional<int> index = std::nullopt,
                   Annotators annotators = Annotators::Aggregate);

// How a person names an experiment: FOLDER, for its last one, or FOLDER/experiment_<index>.
struct RunName {
  std::filesystem::path folder;
  std::optional<int> index;
};
RunName parse_run_name(const std::string& given);

// The experiments a person names so: FOLDER, for all its finished ones, or
// FOLDER/experiment_<index> for one. Those that tell the same seed and description are one done
// twice, and the last of them counts. At least one; throws as read_run().
std::vector<LoggedRun> read_named_runs(const std::string& given);

// The data set, as the place below the log root says it; empty if it does not.
std::string task_of(const LoggedRun& run);

// Throws DataError (run, item, nearest label) if the items speak of other labels than these, as the
// log of another data set does.
//   task  the name of the data set whose labels they are
void check_labels(const LoggedRun& run, const std::string& task, const LabelSet& label_set);

}  // namespace labelprobe::record
