// labelprobe run, classify and assess: the whole way from a data set to indexed_metrics.yml, for
// one setting or a grid of them. They differ in what they ask and in the layout of the log.
#include <chrono>
#include <iostream>
#include <optional>

#include "labelprobe/core/error.h"
#include "labelprobe/data/task_file.h"
#include "labelprobe/experiment/grid.h"
#include "labelprobe/model/profile.h"

#include "app/commands/command.h"
#include "app/commands/jobs.h"
#include "app/commands/run_listener.h"
#include "app/options/run_options.h"
#include "app/terminal/interruption.h"

namespace labelprobe::app {

namespace {

// Commands that ask as the plan of their name does.
constexpr std::string_view kAssessName = "assess";

int run(std::vector<GridSetting<RunSettings>> given) {
  if (given.size() == 1 && given.front().mistake) {
    std::rethrow_exception(given.front().mistake);
  }
  const RunSettings& first = given.front().settings;
  if (!first.is_quiet) {
    std::cerr << "labelprobe " LABELPROBE_VERSION ": "
              << data::task_info(first.experiment.task).name << std::endl;
  }
  if (given.size() > 1 && !first.profile.empty()) {
    throw ConfigError(
        "--profile: its file holds one setting's trace; expected one value of each option, found "
        "several of some");
  }
  for (const GridSetting<RunSettings>& one : given) {
    if (!first.model.copy.empty() && one.settings.model.name != first.model.name) {
      throw ConfigError(
          "--model-copy: is a copy of one model; expected one --model-name-or-path, found several");
    }
  }
  std::optional<model::Profile> profile;
  if (!first.profile.empty()) {
    profile.emplace(first.profile);
  }
  const spdlog::level::level_enum level = first.is_quiet     ? spdlog::level::warn
                                          : first.is_verbose ? spdlog::level::debug
                                                             : first.logging_level;
  std::optional<Interruption::Clock::time_point> end;
  if (first.seconds) {
    end = Interruption::Clock::now() + std::chrono::duration_cast<Interruption::Clock::duration>(
                                           std::chrono::duration<double>(*first.seconds));
  }
  RunListener listener({.level = level,
                        .shows_progress = !first.hides_progress && !first.is_quiet,
                        .is_verbose = first.is_verbose,
                        .colour = first.colour,
                        .profile = profile ? &*profile : nullptr,
                        .end = end,
                        .folders = &std::cout});
  experiment::Workbench workbench(show_encoding);
  return listener.exit_code(experiment::run_grid(make_jobs(given), workbench, listener));
}

template <const std::string_view& name>
Command make_run_command(CommandText text) {
  return make_grid_command<RunSettings>(
      text,
      [](OptionList& options, RunSettings& settings) { declare_run(options, settings, name); },
      run);
}

}  // namespace

Command run_command() {
  return make_run_command<kRunName>(
      {CommandGroup::Ask, kRunName,
       "Ask a model about every example and log the label probabilities",
       "labelprobe run GoEmotions --config configs/example/config.yaml --model-name-or-path "
       "MODEL"});
}

Command classify_command() {
  return make_run_command<kClassifyName>(
      {CommandGroup::Ask, kClassifyName,
       "Prompt a model for the labels of every example, annotators' items included",
       "labelprobe classify GoEmotions --config configs/example/config.yaml --model-name-or-path "
       "MODEL"});
}

Command assess_command() {
  return make_run_command<kAssessName>(
      {CommandGroup::Ask, kAssessName,
       "Ask a model whether the label shown with a text is reasonable",
       "labelprobe assess GoEmotions --config configs/example/assess.yaml --model-name-or-path "
       "MODEL"});
}

}  // namespace labelprobe::app
