#include "support/program.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <sys/wait.h>
#include <unistd.h>

namespace labelprobe::support {
namespace {

// What runs programs that were compiled for another processor.
#ifdef LABELPROBE_EMULATOR
const std::vector<std::string> kEmulator = {LABELPROBE_EMULATOR};
#else
const std::vector<std::string> kEmulator;
#endif

// In the child: becomes the program, run from the repository.
[[noreturn]] void become(const std::vector<std::string>& arguments,
                         const std::filesystem::path& streams,
                         const Environment& environment) {
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::filesystem::current_path(source_folder());
  const bool is_open = std::freopen((streams / "in").c_str(), "r", stdin) != nullptr &&
                       std::freopen((streams / "out").c_str(), "w", stdout) != nullptr &&
                       std::freopen((streams / "err").c_str(), "w", stderr) != nullptr;
  std::vector<std::string> words = kEmulator;
  words.push_back(build_folder() / "labelprobe");
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  if (is_open) ::execv(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

StartedProgram::StartedProgram(const std::vector<std::string>& arguments,
                               const std::string& input,
                               const Environment& environment) {
  write_file(streams_.path() / "in", input);
  pid_ = ::fork();
  if (pid_ == 0) become(arguments, streams_.path(), environment);
}

ProgramResult StartedProgram::finish() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  ProgramResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.out = read_file(streams_.path() / "out");
  result.err = read_file(streams_.path() / "err");
  return result;
}

ProgramResult run_program(const std::vector<std::string>& arguments,
                          const std::string& input,
                          const Environment& environment) {
  return StartedProgram(arguments, input, environment).finish();
}

}  // namespace labelprobe::support
