#include "app/options/log_options.h"

#include "labelprobe/core/enum_names.h"

namespace labelprobe::app {

namespace {

using enum OptionKind;

constexpr auto kLevels = enum_names<spdlog::level::level_enum>("logging level",
                                                               {{spdlog::level::debug, "debug"},
                                                                {spdlog::level::info, "info"},
                                                                {spdlog::level::warn, "warning"},
                                                                {spdlog::level::err, "error"}});

}  // namespace

void declare_again(OptionList& options, record::RunRequest& request) {
  options.add_special(Flag, &request.if_finished,
                      {.name = "again",
                       .help = "Run what is finished once more, as another experiment of the same "
                               "folder",
                       .shown = Shown::First,
                       .is_logged = false},
                      [&request](const Given& given) {
                        request.if_finished = given.values.front() == "true"
                                                  ? record::IfFinished::Append
                                                  : record::IfFinished::Keep;
                      });
}

void declare_log_folder(OptionList& options,
                        record::RunRequest& request,
                        std::string_view log_root) {
  options.add(request.log_root, {.name = "log_root",
                                 .help = "Folder that all logs go below",
                                 .fallback = log_root,
                                 .shown = Shown::First,
                                 .value = "FOLDER",
                                 .is_comparable = false,
                                 .bearing = record::Bearing::Process,
                                 .is_of_grid = true,
                                 .is_of_environment = true});
  options.add(request.alternative_name,
              {.name = "alternative_experiment_name",
               .help = "Log folder name; {parameter} is replaced, '/' makes sub-folders",
               .value = "NAME",
               .is_comparable = false,
               .bearing = record::Bearing::Process,
               .is_of_grid = true});
  options.add(request.moves_equal,
              {.name = "move_equal",
               .help = "Move the folder of equal runs to --alternative-experiment-name, as the "
                       "published programs do, instead of making one of that name",
               .is_logged = false});
  options.add(request.patience.seconds,
              {.name = "wait",
               .help = "Seconds to wait at most while another process does the same run or writes "
                       "to its folder; then the exit code is 75 (default: without limit)",
               .value = "SECONDS",
               .least = 0,
               .is_logged = false});
  options.add(request.patience.takes_over,
              {.name = "take_over",
               .help = "Go on with a run that a process of another machine has left unfinished, "
                       "when it is known to have died",
               .is_logged = false});
  options.add(request.description, {.name = "description",
                                    .help = "Short name that prefixes this run's extra files",
                                    .is_comparable = false,
                                    .bearing = record::Bearing::Process,
                                    .is_of_grid = true});
}

void declare_logging_level(OptionList& options, spdlog::level::level_enum& level) {
  options.add_parsed(level,
                     {.name = "logging_level",
                      .help = "debug, info, warning or error",
                      .fallback = "info",
                      .value = "LEVEL",
                      .choices = kLevels.names(),
                      .is_comparable = false,
                      .bearing = record::Bearing::Process,
                      .is_of_grid = true},
                     [](const std::string& name) { return kLevels.parse(name); });
}

}  // namespace labelprobe::app
