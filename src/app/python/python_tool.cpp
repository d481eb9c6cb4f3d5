#include "app/python/python_tool.h"

#include <cerrno>
#include <iostream>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "labelprobe/core/error.h"

namespace labelprobe::app {

namespace {

enum class Messages { Shown, Hidden };

// Starts the program and waits; its exit code, -1 where it could not be started or was killed.
int run_program(const std::vector<std::string>& words, Messages messages) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // What it prints must not get into the command's own output.
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  if (messages == Messages::Hidden) {
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  std::cout.flush();
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, argv.front(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return -1;
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

bool PythonTool::starts() const {
  return run_program({program_, "-c", ""}, Messages::Hidden) == 0;
}

bool PythonTool::has_module(const std::string& module) const {
  const std::string look =
      fmt::format("import importlib.util as i, sys; sys.exit(i.find_spec('{}') is None)", module);
  return run_program({program_, "-c", look}, Messages::Hidden) == 0;
}

std::string PythonTool::how_to_get(const std::string& module) const {
  const std::string finding = starts() ? fmt::format("{} has no {}", program_, module)
                                       : fmt::format("found no Python that starts as {}", program_);
  return fmt::format(
      "{}; python3 -m venv labelprobe-python && labelprobe-python/bin/pip install {}, then the "
      "same command with --python labelprobe-python/bin/python3",
      finding, module);
}

void PythonTool::run(std::string_view script, const std::vector<std::string>& arguments) const {
  std::vector<std::string> words = {program_, "-c", std::string(script)};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const int code = run_program(words, Messages::Shown);
  if (code != 0) {
    throw ConfigError(
        fmt::format("{}: expected the script to end well, found exit code {} (its "
                    "message is above)",
                    program_, code));
  }
}

}  // namespace labelprobe::app
