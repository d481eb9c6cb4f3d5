// Which files a piece of work has read, for records of what its results were made from.
#pragma once

#include <filesystem>
#include <vector>

namespace labelprobe::files {

// While it lives, it lists the files that its thread maps, each once, in the order of the first
// time. Of nested ones the inner one lists what is read while it lives, the outer one everything.
class ReadFiles {
 public:
  ReadFiles();
  ~ReadFiles();
  ReadFiles(const ReadFiles&) = delete;
  ReadFiles& operator=(const ReadFiles&) = delete;

  const std::vector<std::filesystem::path>& paths() const { return paths_; }

 private:
  friend void note_read(const std::filesystem::path& path);

  std::vector<std::filesystem::path> paths_;
  ReadFiles* outer_;
};

// For those that open files: tells the lists of this thread.
void note_read(const std::filesystem::path& path);

}  // namespace labelprobe::files
