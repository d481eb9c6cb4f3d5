// Ends that are asked for while work goes on: SIGINT, SIGTERM and SIGHUP, as a person, a shell or a
// cluster's scheduler sends them, and the end of a time limit.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace labelprobe::app {

// A time limit was over; timeout(1) ends with it, too.
inline constexpr int kTimeIsUp = 124;

// Thrown by work that stops because it was asked to, after it has said so. It is no std::exception,
// for whoever goes on after a failure is not to go on after this; main() alone catches it.
struct Interrupted {
  int exit_code;
};

struct Stop {
  int exit_code;       // 128 + signal, or kTimeIsUp
  std::string reason;  // "SIGTERM", "the time limit"
};

// While one is alive, a first signal is only noted, for the work at hand to ask for. If nobody has
// asked within a few seconds, or by the deadline, the process ends there, and so it does at a
// second signal. Without one, signals end the process at once. Signals that were ignored stay so.
// One at a time.
class Interruption {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Interruption(std::optional<Clock::time_point> deadline = {});
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  // Whether work has to stop now. Asked again and again: the longest time between two questions is
  // what work needs to notice, and so far ahead of the deadline it stops.
  std::optional<Stop> asked();

 private:
  std::optional<Clock::time_point> deadline_;
  Clock::time_point last_;
  Clock::duration longest_{0};
};

// Says "stopped by SIGTERM: <what_is_kept>" on standard error and throws Interrupted.
[[noreturn]] void stop_work(const Stop& stop, const std::string& what_is_kept);

// "3h50m", "90m", "45s", "2h" in seconds; ConfigError for other texts.
double parse_duration(const std::string& text);

}  // namespace labelprobe::app
