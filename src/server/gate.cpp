#include "server/gate.h"

#include <algorithm>

namespace labelprobe::server {

Gate::Gate(double requests_per_minute)
    : interval_(duration_of(requests_per_minute > 0 ? 60.0 / requests_per_minute : 0.0)) {}

Gate::Clock::duration Gate::duration_of(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

bool Gate::wait_until(std::unique_lock<std::mutex>& lock, Clock::time_point moment) {
  return !closing_.wait_until(lock, moment, [&] { return is_closed_.load(); });
}

bool Gate::pass() {
  std::unique_lock lock(mutex_);
  const Clock::time_point mine = std::max(next_, Clock::now());
  next_ = mine + interval_;
  Clock::time_point moment = std::max(mine, held_until_);
  while (wait_until(lock, moment)) {
    if (held_until_ <= Clock::now()) return true;
    moment = held_until_;  // held while it waited
  }
  return false;
}

void Gate::hold(double seconds) {
  const std::scoped_lock lock(mutex_);
  held_until_ = std::max(held_until_, Clock::now() + duration_of(seconds));
}

bool Gate::sleep(double seconds) {
  std::unique_lock lock(mutex_);
  return wait_until(lock, Clock::now() + duration_of(seconds));
}

void Gate::close() {
  const std::scoped_lock lock(mutex_);
  is_closed_ = true;
  closing_.notify_all();
}

}  // namespace labelprobe::server
