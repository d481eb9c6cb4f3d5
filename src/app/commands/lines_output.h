// JSON lines that answer a request each, and what is kept of a command that was interrupted.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "labelprobe/files/output_file.h"

namespace labelprobe::app {

// Where lines go in the order of the requests that they answer, whatever order they come in. To
// standard output each goes as soon as those before it are there. For a file they are kept in
// FILE.begun until all are there, and a command that was interrupted finds them.
class LinesOutput {
 public:
  //   task  what decides all lines; lines of another task are not taken over
  // Throws ConfigError if the file cannot be written.
  LinesOutput(const std::filesystem::path& path, const std::string& task, std::size_t n_lines);

  bool has(std::size_t i) const { return lines_[i].has_value(); }
  std::size_t n_done() const { return n_done_; }
  void add(std::size_t i, std::string line);
  const std::string& line(std::size_t i) const { return lines_.at(i).value(); }  // that is there
  // "3 of 40 lines are kept; the same command goes on", for people whose command is stopped.
  std::string describe_kept() const;
  // All lines must be there. Throws ConfigError if not everything could be written.
  void finish();

 private:
  void take_over(const std::string& task);

  std::filesystem::path path_;
  std::filesystem::path begun_path_;  // empty for standard output
  std::ofstream begun_;
  files::OutputFile output_;
  std::vector<std::optional<std::string>> lines_;
  std::size_t n_done_ = 0;
  std::size_t n_written_ = 0;
};

}  // namespace labelprobe::app
