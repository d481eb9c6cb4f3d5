#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"

#include "app/commands/command.h"
#include "app/commands/help.h"
#include "app/options/config_file.h"
#include "app/options/grid.h"
#include "app/options/installed_files.h"
#include "app/options/task_options.h"

namespace labelprobe::app {

namespace {

// Every subcommand, in the order of a day's work.
std::vector<Command> make_commands() {
  return {run_command(),
          classify_command(),
          assess_command(),
          merge_command(),
          plan_command(),
          show_command(),
          runs_command(),
          align_command(),
          calibrate_command(),
          compare_command(),
          validity_command(),
          steps_command(),
          attention_command(),
          figure_command(),
          export_command(),
          extract_scores_command(),
          probes_command(),
          finetune_command(),
          distributions_command(),
          report_command(),
          data_command(),
          init_command(),
          ids_command(),
          table_command(),
          paper_command(),
          guard_command(),
          demux_command(),
          inspect_command(),
          prompts_command(),
          generate_command(),
          score_command(),
          tokenize_command(),
          make_model_command(),
          bench_command(),
          ls_command(),
          completion_command(),
          man_command()};
}

// The commands that know a flag, for people who gave it to another.
std::string owners(const std::string& flag) {
  std::vector<std::string_view> names;
  for (const Command& command : commands()) {
    const Command::Declared declared = command.declare();
    for (const Option& option : declared.options.options()) {
      const std::vector<std::string> flags = option.flags();
      if (!option.is_operand && std::find(flags.begin(), flags.end(), flag) != flags.end()) {
        names.push_back(command.text.name);
      }
    }
  }
  return names.empty() ? "" : fmt::format(" (a flag of labelprobe {})", fmt::join(names, ", "));
}

// The names that config files may have, those of other commands too.
std::vector<std::string> names_in_files() {
  std::set<std::string> names;
  for (const Command& command : commands()) {
    for (const Option& option : command.declare().options.options()) {
      if (!option.is_operand && !option.is_built_in) {
        names.insert(std::string(option.info.name));
        if (!option.info.other_name.empty()) {
          names.insert(std::string(option.info.other_name));
        }
      }
    }
  }
  return {names.begin(), names.end()};
}

// What the environment gives for options that have nothing yet.
void read_environment(const OptionList& options, GivenValues& given) {
  for (const Option& option : options.options()) {
    const std::string variable = option.variable();
    const char* value = variable.empty() ? nullptr : std::getenv(variable.c_str());
    if (value != nullptr && *value != '\0') {
      given.try_emplace(std::string(option.info.name), Given{{value}, variable});
    }
  }
}

// Adds the settings that one command line stands for to `settings`.
void add_settings(const OptionList& options,
                  GivenValues given,
                  InstalledFiles& installed,
                  std::vector<GivenValues>& settings) {
  if (const auto config = given.extract("config"); !config.empty()) {
    const std::vector<std::string> known = names_in_files();
    for (const std::string& path : config.mapped().values) {
      read_config_file(installed.find(path), options, known, given);
    }
  }
  read_environment(options, given);
  installed.find_all(options, given);
  read_task_options(options, names_in_files, given);
  for (GivenValues& setting : expand_values(options.options(), given)) {
    settings.push_back(std::move(setting));
  }
}

}  // namespace

void add_built_in(OptionList& options) {
  const auto add = [&](OptionKind kind, OptionInfo info) {
    options.add_special(kind, nullptr, std::move(info), [](const Given&) {});
    options.make_built_in();
  };
  options.begin_group("Every command");
  add(OptionKind::Flag,
      {.name = "help", .help = "Show what most people need and stop", .shown = Shown::First});
  add(OptionKind::Flag,
      {.name = "help_all", .help = "Show every option and stop", .shown = Shown::First});
  add(OptionKind::TextList,
      {.name = "config",
       .help = "YAML or JSON file of options (names with underscores); may be given again: flags "
               "win, then earlier files, then LABELPROBE_ variables, then the task file",
       .shown = Shown::First,
       .value = "FILE",
       .is_one_by_one = true,
       .other_name = "gridparse_config"});
}

std::span<const Command> commands() {
  static const std::vector<Command> all = make_commands();
  return all;
}

const Command& find_command(const std::string& name) {
  std::vector<std::string> known;
  for (const Command& command : commands()) {
    if (command.text.name == name) {
      return command;
    }
    known.emplace_back(command.text.name);
  }
  throw ConfigError(unknown_choice("command", name, known));
}

const GivenValues& only_setting(const std::vector<GivenValues>& given) {
  for (std::size_t i = 1; i < given.size(); ++i) {
    for (const auto& [name, one] : given[i]) {
      if (one.values != given[0].at(name).values) {
        throw ConfigError(
            fmt::format("{}: {}: expected one value, found several", one.place, name));
      }
    }
  }
  return given.front();
}

std::vector<GivenValues> read_settings(const Command& command,
                                       const std::vector<std::string>& args) {
  const Command::Declared declared = command.declare();
  InstalledFiles installed;
  std::vector<GivenValues> settings;
  const auto lines = command.grids == Grids::Taken ? expand_groups(args)
                                                   : std::vector<std::vector<Word>>{words_of(args)};
  for (const std::vector<Word>& line : lines) {
    GivenValues given = parse_command_line(line, declared.options, command.grids, owners);
    if (given.contains("help") || given.contains("help_all")) {
      return {std::move(given)};
    }
    add_settings(declared.options, std::move(given), installed, settings);
  }
  if (const std::string taken = installed.describe(); !taken.empty()) {
    std::cerr << "labelprobe: " << taken << '\n';
  }
  return settings;
}

int execute(const Command& command, const std::vector<std::string>& args) {
  const std::vector<GivenValues> settings = read_settings(command, args);
  const GivenValues& first = settings.front();
  if (first.contains("help") || first.contains("help_all")) {
    std::cout << describe_command(command, first.contains("help_all")) << std::flush;
    return kSuccess;
  }
  return command.run(settings);
}

}  // namespace labelprobe::app
