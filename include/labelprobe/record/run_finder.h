// Finds the runs of a model below a log root, where the pipelines put them:
// <log root>/<task>/<id list>/<plan>/<model>_<k>.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace labelprobe::record {

struct RunQuery {
  std::filesystem::path log_root = "./logs";
  std::string task;
  std::string id_list;             // e.g. "main_test_set"
  std::string model;               // as given to --model-name-or-path; empty = the only one there
  std::vector<std::string> plans;  // names of folders, e.g. "baseline"
};

struct FoundRuns {
  std::vector<std::filesystem::path> folders;  // in the order of the plans: those there are
  std::vector<std::string> notes;              // sentences: what was found, what is missing
};

// The folder of each plan with the largest <k> that holds a finished experiment. Throws ConfigError
// naming the id lists or models there are if none fits.
FoundRuns find_runs(const RunQuery& query);

}  // namespace labelprobe::record
