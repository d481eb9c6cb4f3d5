// A file that a command writes for its user: whole or not at all. What stood at its place survives
// until the new one is there.
#pragma once

#include <filesystem>
#include <fstream>
#include <iosfwd>

namespace labelprobe::files {

class OutputFile {
 public:
  // Writes PATH.partial, which finish() renames. What is there and no regular file (a pipe,
  // /dev/null) is written itself; "-" is standard output. Throws ConfigError if it cannot be
  // opened.
  explicit OutputFile(const std::filesystem::path& path);
  // Without finish() what was written goes away.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  bool is_standard_output() const { return path_ == "-"; }
  std::ostream& stream();

  // Throws ConfigError if not everything could be written; the earlier file is then as it was.
  void finish();

 private:
  std::filesystem::path path_;
  std::filesystem::path written_;  // PATH.partial, or the path itself
  std::ofstream file_;
  bool is_finished_ = false;
};

// Flushes standard output, however it was written to. Throws ConfigError if something that was
// written to it got lost, as on a full disk.
void finish_standard_output();

}  // namespace labelprobe::files
