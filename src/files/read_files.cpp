#include "labelprobe/files/read_files.h"

#include <algorithm>
#include <utility>

namespace labelprobe::files {

namespace {

thread_local ReadFiles* innermost = nullptr;

}  // namespace

ReadFiles::ReadFiles() : outer_(std::exchange(innermost, this)) {}

ReadFiles::~ReadFiles() {
  innermost = outer_;
}

void note_read(const std::filesystem::path& path) {
  for (ReadFiles* list = innermost; list != nullptr; list = list->outer_) {
    if (std::find(list->paths_.begin(), list->paths_.end(), path) == list->paths_.end()) {
      list->paths_.push_back(path);
    }
  }
}

}  // namespace labelprobe::files
