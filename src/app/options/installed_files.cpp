#include "app/options/installed_files.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace labelprobe::app {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 2> kFolders = {"configs", "prob_distr_ids"};

// Options that name files and folders that are read, beside those whose text may be a file.
constexpr std::array<std::string_view, 6> kRead = {
    "TASK", "TASK_OR_FILE", "root_dir", "emotion_clustering_json", "cot_csv", "word_statistics"};

// Below the folder in which the program's own lies.
fs::path installed_folder() {
  std::error_code none;
  const fs::path program = fs::read_symlink("/proc/self/exe", none);
  const fs::path folder =
      (program.parent_path() / ".." / LABELPROBE_DATA_FOLDER / "labelprobe").lexically_normal();
  return !program.empty() && fs::is_directory(folder, none) ? folder : fs::path();
}

bool is_read(const Option& option) {
  return option.kind == OptionKind::TextOrFile || option.info.name.ends_with("ids_filename") ||
         std::find(kRead.begin(), kRead.end(), option.info.name) != kRead.end();
}

}  // namespace

InstalledFiles::InstalledFiles() : InstalledFiles(installed_folder()) {}

std::string InstalledFiles::find(const std::string& path) {
  const fs::path given(path);
  const bool may_be_ours =
      !folder_.empty() && given.is_relative() && given.begin() != given.end() &&
      std::find(kFolders.begin(), kFolders.end(), given.begin()->string()) != kFolders.end() &&
      std::find(given.begin(), given.end(), "..") == given.end();
  constexpr std::size_t kLongestPath = 255;  // beyond, it is a prompt
  std::error_code none;
  if (!may_be_ours || path.size() > kLongestPath || fs::exists(given, none)) return path;
  const fs::path installed = folder_ / given;
  if (!fs::exists(installed, none)) return path;
  if (std::find(taken_.begin(), taken_.end(), path) == taken_.end()) taken_.push_back(path);
  return installed.string();
}

void InstalledFiles::find_all(const OptionList& options, GivenValues& given) {
  for (auto& [name, one] : given) {
    const Option* const option = options.find(name);
    if (option == nullptr || !is_read(*option)) continue;
    for (std::string& value : one.values) value = find(value);
  }
}

std::string InstalledFiles::describe() const {
  if (taken_.empty()) return "";
  return fmt::format("not in this folder, taken from {}: {}", folder_.string(),
                     fmt::join(taken_, ", "));
}

}  // namespace labelprobe::app
