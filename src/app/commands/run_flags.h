// The flags that say which runs `align`, `distributions` and `calibrate` look at.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "labelprobe/analysis/run_log.h"
#include "labelprobe/core/label_set.h"

#include "app/options/option.h"

namespace labelprobe::app {

struct RunFlags {
  std::string task;
  std::vector<std::string> folders;
  std::vector<std::string> tuned_folders;
  int experiment = -1;  // below 0: the last
  std::string log_root;
  std::string id_list;
  std::string model;
  std::vector<std::string> answers;

  std::optional<int> experiment_index() const;
};

// The task, the folders and the rest.
void declare_run_flags(OptionList& options, RunFlags& flags);

// The rest: how runs are found and read.
void declare_run_search(OptionList& options, RunFlags& flags);

// Whether runs are to be found where none are named.
enum class Search { IfNoneNamed, IfAsked };

// The runs named, or found by id list and model; then those of fine-tuned models. Says on standard
// error what was found and what is missing. No folder is taken twice.
std::vector<analysis::RunLog> load_runs(const RunFlags& flags,
                                        Search search,
                                        const LabelSet& label_set);

// One of them, or a run to calibrate on.
analysis::RunLog load_run(const RunFlags& flags,
                          const std::filesystem::path& folder,
                          analysis::ModelState state,
                          const LabelSet& label_set);

// Every sentence on a line of standard error.
void print_warnings(const std::vector<std::string>& warnings);

}  // namespace labelprobe::app
