// What a subcommand is: its name, its help, and a function that declares its flags and returns the
// work to do. A new subcommand is one file src/app/<name>_command.cpp, one declaration here and one
// line in commands.cpp.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include <CLI/CLI.hpp>

namespace labelprobe::app {

// What the shell sees. 1: the work was done, but some items failed. Of the settings of a grid the
// first error's code counts.
inline constexpr int kSuccess = 0;
inline constexpr int kSomeFailed = 1;
inline constexpr int kConfigError = 2;
inline constexpr int kDataError = 3;
inline constexpr int kModelError = 4;
inline constexpr int kInternalError = 70;

// Runs after parsing; returns the exit code. Errors leave as exceptions.
using CommandBody = std::function<int()>;

struct Command {
  std::string_view name;
  std::string_view summary;
  std::string_view example;  // a real command line, shown under --help
  CommandBody (*declare)(CLI::App& app);
  bool takes_groups = false;  // of flags in { }, see grid.h: such a line is parsed once a group
};

// All of them, in the order --help shows them.
std::span<const Command> commands();

CommandBody declare_align(CLI::App& app);
CommandBody declare_assess(CLI::App& app);
CommandBody declare_classify(CLI::App& app);
CommandBody declare_compare(CLI::App& app);
CommandBody declare_data(CLI::App& app);
CommandBody declare_distributions(CLI::App& app);
CommandBody declare_generate(CLI::App& app);
CommandBody declare_ids(CLI::App& app);
CommandBody declare_ls(CLI::App& app);
CommandBody declare_make_model(CLI::App& app);
CommandBody declare_prompts(CLI::App& app);
CommandBody declare_run(CLI::App& app);
CommandBody declare_show(CLI::App& app);
CommandBody declare_tokenize(CLI::App& app);

}  // namespace labelprobe::app
