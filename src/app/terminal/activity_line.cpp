#include "app/terminal/activity_line.h"

#include <cstdio>

#include <fmt/format.h>

#include "app/terminal/colour.h"
#include "app/terminal/progress.h"

namespace labelprobe::app {

namespace {

double seconds_since(std::chrono::steady_clock::time_point then) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
}

}  // namespace

ActivityLine::ActivityLine(bool is_enabled)
    : is_enabled_(is_enabled), is_terminal_(has_lively_terminal()), start_(Clock::now()) {}

ActivityLine::~ActivityLine() {
  close();
}

void ActivityLine::close() {
  if (is_open_) std::fputs("\r\033[K", stderr);
  is_open_ = false;
}

void ActivityLine::show(const std::string& what) {
  const double since_last = seconds_since(last_);
  if (!is_enabled_ || (is_open_or_said_ && since_last < (is_terminal_ ? 0.1 : 10.0))) return;
  last_ = Clock::now();
  is_open_or_said_ = true;
  is_open_ = is_terminal_;
  const std::string line = fmt::format("{}, {}", what, describe_duration(seconds_since(start_)));
  std::fputs((is_terminal_ ? "\r\033[K" + line : line + "\n").c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace labelprobe::app
