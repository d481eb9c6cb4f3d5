// labelprobe extract-scores: from logs of Demux to files of probabilities that `align --scores`
// takes.
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/analysis/scores_file.h"
#include "labelprobe/core/error.h"
#include "labelprobe/data/dataset.h"
#include "labelprobe/data/task_file.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/record/run_origin.h"
#include "labelprobe/record/training_log.h"

#include "app/commands/command.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

namespace {

struct ExtractFlags {
  std::string task;
  std::vector<std::string> names;
  std::filesystem::path log_root;
  int experiment = 0;
  std::filesystem::path out;
  DataSettings data;
};

// As the log names them, else as the data set does, which is read for that.
LabelSet find_labels(const ExtractFlags& flags, const std::filesystem::path& folder) {
  record::LoggedRun run;
  run.folder = folder;
  run.index = flags.experiment;
  const auto logged = record::read_origin(run).options;
  if (const auto found = logged.find("labels"); found != logged.end() && !found->second.empty()) {
    return {found->second, LabelKind::SingleLabel};  // either kind has the same names
  }
  data::DatasetOptions options = flags.data.test;
  if (options.splits.empty()) options.splits = {"test"};
  return data::load(flags.task, options).label_set;
}

void extract(const ExtractFlags& flags, const std::string& name) {
  const std::filesystem::path folder = flags.log_root / data::task_info(flags.task).name / name;
  const record::ScoreLists lists = record::read_score_lists(folder, flags.experiment);
  const LabelSet labels = find_labels(flags, folder);
  analysis::Distributions scores{"scores", {}};
  for (const auto& [key, numbers] : lists) {
    if (numbers.size() != static_cast<std::size_t>(labels.size())) {
      throw DataError(
          fmt::format("{}: item '{}': expected a score for each of the {} labels ({}), found {}",
                      (folder / "indexed_metrics.yml").string(), key, labels.size(),
                      fmt::join(labels.names(), ", "), numbers.size()));
    }
    scores.probs[key] = numbers;
  }
  const std::filesystem::path path = flags.out.empty() ? folder / "scores.yml" : flags.out;
  files::OutputFile file(path);
  analysis::write_scores(file.stream(), scores, labels);
  file.finish();
  if (!file.is_standard_output()) {
    std::cout << fmt::format("{}: {} items\n", path.string(), lists.size());
  }
}

int extract_all(const ExtractFlags& flags) {
  if (!flags.out.empty() && flags.names.size() > 1) {
    throw ConfigError(
        fmt::format("--out: expected one --experiment-name with it, found {}", flags.names.size()));
  }
  for (const std::string& name : flags.names) extract(flags, name);
  return kSuccess;
}

void declare_flags(OptionList& options, ExtractFlags& flags) {
  declare_task(options, flags.task);
  options.begin_group("Logs");
  options.add(flags.names, {.name = "experiment_name",
                            .help = "Folders below LOG_ROOT/TASK",
                            .is_required = true,
                            .shown = Shown::First,
                            .value = "NAME",
                            .usual = "aggregate,None,None,None_0"});
  options.add(flags.log_root, {.name = "log_root",
                               .help = "Folder that the logs lie below",
                               .fallback = "./logs/DEMUX",
                               .shown = Shown::First,
                               .value = "FOLDER"});
  options.add(flags.experiment, {.name = "experiment",
                                 .help = "Which experiment_<i> of the folder",
                                 .fallback = "0",
                                 .least = 0});
  options.add(flags.out, {.name = "out",
                          .help = "File to write (default: scores.yml in the folder); - = standard "
                                  "output",
                          .shown = Shown::First,
                          .value = "FILE"});
  declare_data(options, flags.data);
}

}  // namespace

Command extract_scores_command() {
  return make_command<ExtractFlags>(
      {CommandGroup::Analyse, "extract-scores",
       "Write the probabilities of a Demux log as a scores.yml, for align --scores",
       "labelprobe extract-scores GoEmotions --experiment-name aggregate,None,None,None_1"},
      declare_flags, extract_all);
}

}  // namespace labelprobe::app
