// The configurations and lists of ids that are installed with the program, for who names them where
// the working folder has none: after `pip install`, `--config configs/example/config.yaml` works in
// any folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/options/option.h"

namespace labelprobe::app {

class InstalledFiles {
 public:
  // Beside this program.
  InstalledFiles();
  //   folder  what has configs/ and prob_distr_ids/; empty: nothing is installed
  explicit InstalledFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // `path` itself where it is there, leads elsewhere or is not installed; else the installed file
  // or folder.
  std::string find(const std::string& path);

  // The same for the values of options that name what is read: task files, folders of data,
  // prompts, lists of ids.
  void find_all(const OptionList& options, GivenValues& given);

  // A sentence about what was taken, for people; empty if nothing was.
  std::string describe() const;

 private:
  std::filesystem::path folder_;
  std::vector<std::string> taken_;  // as they were named
};

}  // namespace labelprobe::app
