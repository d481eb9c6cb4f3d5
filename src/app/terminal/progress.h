// Progress for people: one line with a bar that renews itself on a terminal, plain lines every so
// often elsewhere.
#pragma once

#include <chrono>
#include <string>

#include "labelprobe/experiment/run.h"

namespace labelprobe::app {

// "1m05s", "2h03m"
std::string describe_duration(double seconds);

// What a line says, e.g. "cell 2/9 [=====>    ] 12/40 items, 0m12s, 0m27s left, 1530 tokens/s".
//   name      what is being done, where there are several things; may be empty
//   seconds   since the first token of this process
//   has_bar   a terminal's line
std::string describe_progress(const experiment::Progress& progress,
                              const std::string& name,
                              double seconds,
                              bool has_bar);

class ProgressLine {
 public:
  ProgressLine(bool is_enabled, std::string name);
  ~ProgressLine();

  void show(const experiment::Progress& progress);

  // Ends the line that renews itself.
  void close();

 private:
  using Clock = std::chrono::steady_clock;

  bool is_due(const experiment::Progress& progress) const;

  bool is_enabled_;
  std::string name_;
  bool is_terminal_;
  bool is_line_open_ = false;
  Clock::time_point start_;
  Clock::time_point last_;
};

}  // namespace labelprobe::app
