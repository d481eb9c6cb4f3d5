#include "app/commands/processes.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

#include "labelprobe/core/error.h"

#include "app/commands/command.h"

namespace labelprobe::app {
namespace {

// They train, each with a way of its own through the layers.
constexpr std::array<std::string_view, 2> kOfOneProcess = {"finetune", "demux"};

void end_lost(const std::string& what) {
  const std::string line = fmt::format(
      "labelprobe: {}; processes that compute a model together end together: start them anew, a "
      "run "
      "goes on where it was\n",
      what);
  // The thread that waits for the other one would hold up an orderly end for ever.
  [[maybe_unused]] const auto n_written = ::write(STDERR_FILENO, line.data(), line.size());
  ::_exit(kModelError);
}

}  // namespace

bool is_for_first_alone(const std::vector<std::string>& args) {
  const auto has = [&](std::string_view word) {
    return std::find(args.begin(), args.end(), word) != args.end();
  };
  return model::n_named_processes() > 1 && (args.empty() || has("--dry-run") || has("--help") ||
                                            has("-h") || has("--help-all") || has("--version"));
}

std::unique_ptr<model::Together> join_processes() {
  return model::join_processes(end_lost);
}

int follow(model::Together& processes) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_IGN);
  return processes.follow();
}

void check_can_share(const std::vector<std::string>& args, model::Together& processes) {
  if (args.empty() ||
      std::find(kOfOneProcess.begin(), kOfOneProcess.end(), args[0]) == kOfOneProcess.end()) {
    return;
  }
  processes.end(kConfigError);
  throw ConfigError(fmt::format(
      "{}: expected one process, found {}; start it without torchrun, srun or scripts/launch.sh",
      args[0], processes.n_processes()));
}

}  // namespace labelprobe::app
