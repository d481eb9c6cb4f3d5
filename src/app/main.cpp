#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <dlfcn.h>
#include <unistd.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/lost_pages.h"
#include "labelprobe/files/output_file.h"

#include "app/commands/command.h"
#include "app/commands/error_report.h"
#include "app/commands/help.h"
#include "app/commands/processes.h"
#include "app/commands/version.h"
#include "app/terminal/interruption.h"

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

namespace app = labelprobe::app;

int run_program(const std::vector<std::string>& args) {
  if (args.empty()) {
    throw labelprobe::ConfigError(
        "expected a command, such as run or ls (labelprobe --help lists them)");
  }
  const std::string& first = args[0];
  if (first == "help" && args.size() > 1) {
    return app::execute(app::find_command(args[1]), {"--help"});
  }
  if (first == "--help" || first == "-h" || first == "help") {
    std::cout << app::describe_program() << std::flush;
    return app::kSuccess;
  }
  if (first == "--version" || first == "-V" || first == "version") {
    std::cout << app::describe_version() << std::flush;
    return app::kSuccess;
  }
  return app::execute(app::find_command(first), {args.begin() + 1, args.end()});
}

int run_to_the_end(const std::vector<std::string>& args) {
  try {
    const int code = run_program(args);
    labelprobe::files::finish_standard_output();
    return code;
  } catch (const app::Interrupted& stopped) {
    return stopped.exit_code;
  } catch (const std::exception& error) {
    return labelprobe::app::report(error);
  }
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kLooksForLeaks = true;
#else
constexpr bool kLooksForLeaks = false;
#endif

// Files are closed and standard output is written by now. A usual exit takes the tables of
// libtorch's operators apart, for a tenth of a second. A GPU's libraries get one all the same:
// drivers and profilers do their last work there.
int leave(int code) {
  if (kLooksForLeaks || ::dlopen("libtorch_cuda.so", RTLD_LAZY | RTLD_NOLOAD) != nullptr)
    return code;
  std::cerr.flush();
  std::fflush(nullptr);
  ::_exit(code);
}

int run_alone_or_among_others(const std::vector<std::string>& args) {
  if (app::is_for_first_alone(args)) {
    return labelprobe::model::is_first_named_process() ? run_to_the_end(args) : app::kSuccess;
  }
  const auto processes = app::join_processes();
  if (processes && !processes->is_first()) return app::follow(*processes);
  if (processes) app::check_can_share(args, *processes);
  const int code = run_to_the_end(args);
  if (processes) processes->end(code);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  labelprobe::files::report_lost_pages(
      {.config = app::kConfigError, .data = app::kDataError, .model = app::kModelError});
  // A file that may not grow any more (ulimit -f) is a failed write with a message, not an end.
  std::signal(SIGXFSZ, SIG_IGN);
  const std::vector<std::string> args(argv + 1, argv + argc);
  try {
    return leave(run_alone_or_among_others(args));
  } catch (const std::exception& error) {
    return labelprobe::app::report(error);
  }
}
