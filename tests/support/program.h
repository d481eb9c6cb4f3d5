// Runs the built program as a user would and keeps what it said.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::support {

struct ProgramResult {
  int exit_code = -1;  // 128 + signal if one ended it
  std::string out;
  std::string err;
};

// Variables that the program finds beside those of the test.
using Environment = std::map<std::string, std::string>;

// A started program; `finish` waits for its end.
class StartedProgram {
 public:
  explicit StartedProgram(const std::vector<std::string>& arguments,
                          const std::string& input = "",
                          const Environment& environment = {});

  pid_t pid() const { return pid_; }

  ProgramResult finish();

 private:
  TempFolder streams_;
  pid_t pid_ = -1;
};

ProgramResult run_program(const std::vector<std::string>& arguments,
                          const std::string& input = "",
                          const Environment& environment = {});

// A command line with further arguments behind it.
inline std::vector<std::string> with(std::vector<std::string> arguments,
                                     const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace labelprobe::support
