// Progress for people: one line that renews itself on a terminal, plain lines every so often
// elsewhere.
#pragma once

#include <chrono>
#include <cstdint>

#include "labelprobe/experiment/run.h"

namespace labelprobe::app {

class ProgressLine {
 public:
  explicit ProgressLine(bool is_enabled);
  ~ProgressLine();

  // Items done, share, time left at the present pace, and tokens (prompt and generated) per second.
  void show(const experiment::Progress& progress);

  // Ends the line that renews itself.
  void close();

 private:
  using Clock = std::chrono::steady_clock;

  bool is_enabled_;
  bool is_terminal_;
  bool is_line_open_ = false;
  Clock::time_point start_;
  Clock::time_point last_;
};

}  // namespace labelprobe::app
