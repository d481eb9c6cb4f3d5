// What a subcommand is: its name, its help, its options and the work to do. A new subcommand is one
// file src/app/commands/<name>_command.cpp, one declaration here and one line in commands.cpp.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/options/command_line.h"
#include "app/options/option.h"

namespace labelprobe::app {

// What the shell sees. 1: the work was done, but some items failed. Of the settings of a grid the
// first error's code counts.
inline constexpr int kSuccess = 0;
inline constexpr int kSomeFailed = 1;
inline constexpr int kConfigError = 2;
inline constexpr int kDataError = 3;
inline constexpr int kModelError = 4;
inline constexpr int kInternalError = 70;
inline constexpr int kBusy = 75;  // another process is at it; sysexits.h calls this EX_TEMPFAIL

// What people use a command for, in the order of a day's work.
enum class CommandGroup { Look, Ask, Analyse, Tools };

struct CommandText {
  CommandGroup group;
  std::string_view name;
  std::string_view summary;
  std::string_view example;  // a real command line, shown under --help
};

struct Command {
  CommandText text;
  Grids grids = Grids::None;  // whether flags with several values and { } groups make settings

  // Its options, bound to settings that `settings` keeps alive: for help, and to know all flags.
  struct Declared {
    std::shared_ptr<void> settings;
    OptionList options;
  };
  std::function<Declared()> declare;

  // Fills the settings and does the work; returns the exit code. Errors leave as exceptions.
  std::function<int(const std::vector<GivenValues>&)> run;
};

// One of the settings of a grid. Where its options were mistaken, `mistake` holds the error and
// what is behind the mistaken option is not filled.
template <typename Settings>
struct GridSetting : Setting<Settings> {
  std::exception_ptr mistake;
};

template <typename Settings>
Command make_command(CommandText text,
                     void (*declare)(OptionList&, Settings&),
                     int (*work)(const Settings&));
template <typename Settings>
Command make_grid_command(CommandText text,
                          void (*declare)(OptionList&, Settings&),
                          int (*work)(std::vector<GridSetting<Settings>>));

// All of them, in the order --help shows them.
std::span<const Command> commands();

// The one of that name. Throws ConfigError with the nearest.
const Command& find_command(const std::string& name);

// The settings that the words behind the command's name stand for, config files read.
std::vector<GivenValues> read_settings(const Command& command,
                                       const std::vector<std::string>& args);

// Fills the settings of a grid; a mistake in one is kept with it.
template <typename Settings>
std::vector<GridSetting<Settings>> fill_settings(void (*declare)(OptionList&, Settings&),
                                                 const std::vector<GivenValues>& given);

// Takes the words behind the command's name: shows its help, or reads options and config files and
// does the work. Returns the exit code.
int execute(const Command& command, const std::vector<std::string>& args);

Command align_command();
Command assess_command();
Command attention_command();
Command bench_command();
Command calibrate_command();
Command classify_command();
Command compare_command();
Command completion_command();
Command data_command();
Command demux_command();
Command distributions_command();
Command export_command();
Command extract_scores_command();
Command figure_command();
Command finetune_command();
Command generate_command();
Command guard_command();
Command init_command();
Command inspect_command();
Command ids_command();
Command ls_command();
Command make_model_command();
Command man_command();
Command merge_command();
Command paper_command();
Command plan_command();
Command probes_command();
Command prompts_command();
Command report_command();
Command run_command();
Command runs_command();
Command score_command();
Command show_command();
Command steps_command();
Command table_command();
Command tokenize_command();
Command validity_command();

// --- The parts of the templates ---

// Adds what every command takes: --help, --help-all and --config.
void add_built_in(OptionList& options);

// The only setting. Throws ConfigError where a config file gives several.
const GivenValues& only_setting(const std::vector<GivenValues>& given);

template <typename Settings>
std::function<Command::Declared()> make_declare(void (*declare)(OptionList&, Settings&)) {
  return [declare] {
    auto settings = std::make_shared<Settings>();
    Command::Declared declared;
    add_built_in(declared.options);
    declare(declared.options, *settings);
    declared.settings = std::move(settings);
    return declared;
  };
}

template <typename Settings>
Command make_command(CommandText text,
                     void (*declare)(OptionList&, Settings&),
                     int (*work)(const Settings&)) {
  const auto run = [declare, work](const std::vector<GivenValues>& given) {
    Settings settings;
    OptionList options;
    declare(options, settings);
    options.fill(only_setting(given));
    return work(settings);
  };
  return {text, Grids::None, make_declare(declare), run};
}

template <typename Settings>
std::vector<GridSetting<Settings>> fill_settings(void (*declare)(OptionList&, Settings&),
                                                 const std::vector<GivenValues>& given) {
  std::vector<GridSetting<Settings>> settings(given.size());
  for (std::size_t i = 0; i < given.size(); ++i) {
    OptionList options;
    declare(options, settings[i].settings);
    options.check_types(given[i]);
    try {
      options.fill(given[i]);
    } catch (const std::exception&) {
      settings[i].mistake = std::current_exception();
    }
    settings[i].params = options.params();
    settings[i].idle = options.describe_idle();
  }
  return settings;
}

template <typename Settings>
Command make_grid_command(CommandText text,
                          void (*declare)(OptionList&, Settings&),
                          int (*work)(std::vector<GridSetting<Settings>>)) {
  const auto run = [declare, work](const std::vector<GivenValues>& given) {
    return work(fill_settings<Settings>(declare, given));
  };
  return {text, Grids::Taken, make_declare(declare), run};
}

}  // namespace labelprobe::app
