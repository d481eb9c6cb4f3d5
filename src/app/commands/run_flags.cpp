#include "app/commands/run_flags.h"

#include <iostream>
#include <set>

#include "labelprobe/core/error.h"
#include "labelprobe/data/task_file.h"
#include "labelprobe/record/run_finder.h"

#include "app/options/run_options.h"

namespace labelprobe::app {

void declare_run_flags(OptionList& options, RunFlags& flags) {
  declare_task(options, flags.task);
  options.add(flags.folders,
              {.name = "RUN_FOLDER",
               .help = "Log folders of baseline, unary and binary runs; none = found "
                       "by --id-list and --model",
               .shown = Shown::First,
               .value = "FOLDER"});
  options.make_operand();
  declare_run_search(options, flags);
}

void declare_run_search(OptionList& options, RunFlags& flags) {
  options.begin_group("Runs");
  options.add(flags.id_list,
              {.name = "id_list",
               .help = "Find the runs in LOG_ROOT/TASK/ID_LIST/{baseline,unary,binary}",
               .shown = Shown::First,
               .value = "NAME"});
  options.add(flags.model, {.name = "model",
                            .help = "Find the runs of this model, named as for `run`",
                            .shown = Shown::First,
                            .value = "MODEL"});
  options.add(flags.log_root, {.name = "log_root",
                               .help = "Folder that all logs go below",
                               .fallback = "./logs",
                               .shown = Shown::First,
                               .value = "FOLDER"});
  options.add(flags.tuned_folders, {.name = "sft",
                                    .help = "Log folders of a fine-tuned model's baseline runs",
                                    .value = "FOLDER"});
  options.add(flags.experiment,
              {.name = "experiment",
               .help = "Number of the experiment in each folder (default: the last)"});
  options.add(
      flags.answers,
      {.name = "answer",
       .help = "Where unary and binary answers are read, one or more: greedy (the generated "
               "answer, the paper's), first (the first position), healed (one token "
               "earlier)",
       .fallback = "greedy",
       .value = "POSITION",
       .choices = {"greedy", "first", "healed"}});
}

std::optional<int> RunFlags::experiment_index() const {
  return experiment < 0 ? std::nullopt : std::optional(experiment);
}

analysis::RunLog load_run(const RunFlags& flags,
                          const std::filesystem::path& folder,
                          analysis::ModelState state,
                          const LabelSet& label_set) {
  return analysis::read_run_log(folder, flags.experiment_index(), state, flags.task, label_set);
}

std::vector<analysis::RunLog> load_runs(const RunFlags& flags,
                                        Search search,
                                        const LabelSet& label_set) {
  std::vector<std::filesystem::path> folders(flags.folders.begin(), flags.folders.end());
  const bool is_asked = !flags.id_list.empty() || !flags.model.empty();
  if (is_asked && !folders.empty()) {
    throw ConfigError("expected run folders, or --id-list and --model to find them by; found both");
  }
  if (is_asked || (folders.empty() && search == Search::IfNoneNamed)) {
    const record::FoundRuns found = record::find_runs({flags.log_root,
                                                       data::task_info(flags.task).name,
                                                       flags.id_list,
                                                       flags.model,
                                                       {"baseline", "unary", "binary"}});
    for (const std::string& note : found.notes) {
      std::cerr << note << '\n';
    }
    folders = found.folders;
  }
  std::vector<analysis::RunLog> runs;
  std::set<std::filesystem::path> seen;
  const auto load = [&](const std::filesystem::path& folder, analysis::ModelState state) {
    if (!seen.insert(std::filesystem::weakly_canonical(folder)).second) {
      throw ConfigError(folder.string() + ": expected each run once, found this folder twice");
    }
    runs.push_back(load_run(flags, folder, state, label_set));
  };
  for (const std::filesystem::path& folder : folders) {
    load(folder, analysis::ModelState::Plain);
  }
  for (const std::string& folder : flags.tuned_folders) {
    load(folder, analysis::ModelState::Tuned);
  }
  return runs;
}

void print_warnings(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    std::cerr << "warning: " << warning << '\n';
  }
}

}  // namespace labelprobe::app
