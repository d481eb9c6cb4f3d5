// Finds the runs of a model below a log root, where the pipelines put them:
// <log root>/<task>/<id list>/<distribution>/<model>_<k>.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace labelprobe::app {

struct RunQuery {
  std::filesystem::path log_root = "./logs";
  std::string task;
  std::string id_list;  // e.g. "main_test_set"
  std::string model;    // as given to --model-name-or-path; empty = the only one there
};

struct FoundRuns {
  std::vector<std::filesystem::path> folders;  // baseline, unary, binary: those there are
  std::vector<std::string> notes;              // sentences: what was found, what is missing
};

// Of each distribution the finished run with the largest <k>; finished = it has items in
// indexed_metrics.yml. Throws ConfigError naming the id lists or models there are if none fits.
FoundRuns find_runs(const RunQuery& query);

// Whether the folder holds the log of at least one finished experiment.
bool is_finished_run(const std::filesystem::path& folder);

// Throws DataError unless is_finished_run(folder), naming the nearest such folder or those below
// it.
void check_finished_run(const std::filesystem::path& folder);

// A model's name as it stands in a log folder's name: '/', ',' and '=' spelled with dashes.
std::string model_in_folder_name(std::string_view model);

}  // namespace labelprobe::app
