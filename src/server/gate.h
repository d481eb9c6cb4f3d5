// When the next request may go: the rate that was asked for, and the waits that the server asks
// for. Shared by all threads.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace labelprobe::server {

class Gate {
 public:
  explicit Gate(double requests_per_minute);  // 0 = no limit

  // Waits for the next free moment and takes it. False once it is closed.
  bool pass();
  // Nobody passes for so long.
  void hold(double seconds);
  // False if it was closed meanwhile.
  bool sleep(double seconds);
  void close();
  const std::atomic<bool>& is_closed() const { return is_closed_; }

 private:
  using Clock = std::chrono::steady_clock;
  static Clock::duration duration_of(double seconds);
  bool wait_until(std::unique_lock<std::mutex>& lock, Clock::time_point moment);

  Clock::duration interval_;
  std::mutex mutex_;
  std::condition_variable closing_;
  Clock::time_point next_ = Clock::now();
  Clock::time_point held_until_ = next_;
  std::atomic<bool> is_closed_ = false;
};

}  // namespace labelprobe::server
