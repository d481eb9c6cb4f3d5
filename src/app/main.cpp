#include <algorithm>
#include <exception>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "app/commands/command.h"
#include "app/commands/error_report.h"
#include "app/options/arguments.h"
#include "app/options/grid.h"

namespace {

// Waiting threads of the OpenMP library spin on their core by default, which multiplies the time of
// a run as soon as something else wants the core. The library reads its settings while it is loaded
// and has no call to change them, so the program starts itself anew with the setting made. Done in
// main() this would load everything twice; the functions of this array run before any library is
// initialised. A setting of the user's stays.
void wait_without_spinning(int, char** argv, char** environment) {
  constexpr std::size_t kMostVariables = 4096;
  static char setting[] = "OMP_WAIT_POLICY=passive";
  static char* extended[kMostVariables + 2];
  std::size_t n = 0;
  for (; environment[n] != nullptr; ++n) {
    const std::string_view variable = environment[n];
    if (n == kMostVariables || variable.starts_with("OMP_WAIT_POLICY=") ||
        variable.starts_with("GOMP_SPINCOUNT=")) {
      return;
    }
    extended[n] = environment[n];
  }
  extended[n] = setting;
  ::execve("/proc/self/exe", argv, extended);  // if it fails the program goes on, only slower
}

__attribute__((section(".preinit_array"),
               used)) void (*const kBeforeLibraries)(int, char**, char**) = wait_without_spinning;

// More than one for a command that takes groups of flags.
std::vector<std::vector<std::string>> command_lines(const std::vector<std::string>& args) {
  for (const labelprobe::app::Command& command : labelprobe::app::commands()) {
    if (!args.empty() && command.name == args[0] && command.takes_groups) {
      return labelprobe::app::expand_groups(args);
    }
  }
  return {args};
}

int run_program(int argc, char** argv) {
  CLI::App program{
      "Measures how language models assign probabilities to labels in multi-label classification."};
  program.name("labelprobe");
  program.set_version_flag("--version", "labelprobe " LABELPROBE_VERSION);
  program.require_subcommand(1);
  std::map<const CLI::App*, labelprobe::app::CommandBody> bodies;
  for (const labelprobe::app::Command& command : labelprobe::app::commands()) {
    CLI::App* subcommand =
        program.add_subcommand(std::string(command.name), std::string(command.summary));
    subcommand->footer("Example:\n  " + std::string(command.example));
    bodies[subcommand] = command.declare(*subcommand);
  }
  try {
    for (const std::vector<std::string>& line :
         command_lines(std::vector<std::string>(argv + 1, argv + argc))) {
      std::vector<std::string> args = labelprobe::app::spell_out(program, line);
      std::reverse(args.begin(), args.end());  // CLI11 takes them from the back
      program.parse(std::move(args));
    }
  } catch (const CLI::ParseError& error) {
    const int code = program.exit(error);
    return code == 0 ? labelprobe::app::kSuccess : labelprobe::app::kConfigError;
  }
  return bodies.at(program.get_subcommands().front())();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_program(argc, argv);
  } catch (const std::exception& error) {
    return labelprobe::app::report(error);
  }
}
