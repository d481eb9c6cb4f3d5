// What is being done, on a line of standard error that renews itself on a terminal, and elsewhere
// on a line of its own every ten seconds.
#pragma once

#include <chrono>
#include <string>

namespace labelprobe::app {

class ActivityLine {
 public:
  explicit ActivityLine(bool is_enabled);
  ~ActivityLine();
  ActivityLine(const ActivityLine&) = delete;
  ActivityLine& operator=(const ActivityLine&) = delete;

  void show(const std::string& what);

  // Takes away the line that renews itself, before other lines are written.
  void close();

 private:
  using Clock = std::chrono::steady_clock;

  bool is_enabled_;
  bool is_terminal_;
  bool is_open_ = false;
  bool is_open_or_said_ = false;
  Clock::time_point start_;
  Clock::time_point last_;
};

}  // namespace labelprobe::app
