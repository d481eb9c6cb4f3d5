#include "labelprobe/files/output_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>

#include <fmt/core.h>

#include "labelprobe/core/error.h"

namespace labelprobe::files {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const std::string& name, int error) {
  throw ConfigError(fmt::format("{} cannot be written{}{}", name, error == 0 ? "" : ": ",
                                error == 0 ? "" : std::strerror(error)));
}

fs::path place_to_write(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  const bool is_replaced = !fs::exists(status) || fs::is_regular_file(status);
  if (!is_replaced) return path;
  // A link stays, and what it points to is replaced.
  const fs::path target = fs::exists(status) ? fs::canonical(path) : path;
  return target.string() + ".partial";
}

}  // namespace

OutputFile::OutputFile(const fs::path& path) : path_(path) {
  if (is_standard_output()) return;
  written_ = place_to_write(path);
  errno = 0;
  file_.open(written_, std::ios::binary);
  if (!file_) fail(path_.string(), errno);
}

OutputFile::~OutputFile() {
  if (is_finished_ || is_standard_output() || written_ == path_) return;
  file_.close();
  std::error_code error;
  fs::remove(written_, error);
}

std::ostream& OutputFile::stream() {
  return is_standard_output() ? std::cout : file_;
}

void OutputFile::finish() {
  if (is_standard_output()) return finish_standard_output();
  errno = 0;
  file_.flush();
  file_.close();
  if (!file_) fail(path_.string(), errno);
  if (written_ != path_) {
    fs::path target = written_;
    target.replace_extension();  // without .partial
    std::error_code error;
    fs::rename(written_, target, error);
    if (error) fail(path_.string(), error.value());
  }
  is_finished_ = true;
}

void finish_standard_output() {
  errno = 0;
  std::cout.flush();
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0 || !std::cout) {
    fail("standard output", errno);
  }
}

}  // namespace labelprobe::files
