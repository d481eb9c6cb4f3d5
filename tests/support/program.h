// Runs the built program as a user would and keeps what it said.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "support/paths.h"

namespace labelprobe::support {

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write_file(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

struct ProgramResult {
  int exit_code = -1;  // 128 + signal if one ended it
  std::string out;
  std::string err;
};

// A started program; `finish` waits for its end.
class StartedProgram {
 public:
  StartedProgram(const std::vector<std::string>& arguments, const std::string& input = "") {
    write_file(streams_.path() / "in", input);
    pid_ = ::fork();
    if (pid_ == 0) {
      std::filesystem::current_path(LABELPROBE_SOURCE_DIR);
      const bool is_open =
          std::freopen((streams_.path() / "in").c_str(), "r", stdin) != nullptr &&
          std::freopen((streams_.path() / "out").c_str(), "w", stdout) != nullptr &&
          std::freopen((streams_.path() / "err").c_str(), "w", stderr) != nullptr;
      std::string program = std::string(LABELPROBE_BINARY_DIR) + "/labelprobe";
      std::vector<std::string> copies = arguments;
      std::vector<char*> argv = {program.data()};
      for (std::string& argument : copies) {
        argv.push_back(argument.data());
      }
      argv.push_back(nullptr);
      if (is_open) {
        ::execv(program.c_str(), argv.data());
      }
      ::_exit(127);
    }
  }

  pid_t pid() const { return pid_; }

  ProgramResult finish() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ProgramResult result;
    result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result.out = read_file(streams_.path() / "out");
    result.err = read_file(streams_.path() / "err");
    return result;
  }

 private:
  TempFolder streams_;
  pid_t pid_ = -1;
};

inline ProgramResult run_program(const std::vector<std::string>& arguments,
                                 const std::string& input = "") {
  return StartedProgram(arguments, input).finish();
}

}  // namespace labelprobe::support
