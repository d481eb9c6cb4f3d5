// A Python of the user's, for what its libraries do best: Parquet files and figures. Nothing of the
// program needs one otherwise.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace labelprobe::app {

class PythonTool {
 public:
  // The interpreter of that name or path; empty = python3. Nothing is started yet.
  explicit PythonTool(const std::string& given) : program_(given.empty() ? "python3" : given) {}

  const std::string& program() const { return program_; }

  // Whether it starts, and has the module.
  bool starts() const;
  bool has_module(const std::string& module) const;

  // What there is to do where the module is not: "python3 has no pyarrow: ...".
  std::string how_to_get(const std::string& module) const;

  // Runs the script with these arguments to its end. Throws ConfigError if it fails, whose own
  // message is then on standard error.
  void run(std::string_view script, const std::vector<std::string>& arguments) const;

 private:
  std::string program_;
};

}  // namespace labelprobe::app
