#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include <fmt/format.h>

#include "model/parallel/connections.h"

namespace labelprobe::model {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kBeat = 500ms;
// Longer silence means that a process is no more, or stands still. With the time that it is given
// to notice by itself, all have ended after less than ten seconds.
constexpr auto kSilence = 6s;
constexpr auto kGrace = 2s;
// After so long a pause of its own this process knows nothing of the others' silence.
constexpr auto kOwnPause = 3s;

std::vector<std::uint8_t> bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

std::string beat_key(int rank) {
  return fmt::format("beat/{}", rank);
}

}  // namespace

class Team::Watch::State {
 public:
  State(const World& world,
        c10::intrusive_ptr<c10d::Store> store,
        std::function<void(const std::string&)> on_lost)
      : world_(world), store_(std::move(store)), on_lost_(std::move(on_lost)) {
    for (int rank = 0; rank < world_.size; ++rank) others_.push_back({rank, {}, Clock::now()});
    others_.erase(others_.begin() + world_.rank);
    beat();
  }

  void run() {
    while (!pauses(kBeat)) {
      std::string lost = look();
      if (lost.empty()) continue;
      {
        const std::lock_guard lock(mutex_);
        lost_ = lost;
      }
      changed_.notify_all();
      if (!pauses(kGrace)) on_lost_(lost);
      return;
    }
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    changed_.notify_all();
  }

  std::string find_lost() {
    const Clock::time_point since = Clock::now();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 4 * kBeat, [&] { return is_over_ || !lost_.empty(); });
    if (!lost_.empty()) return lost_;
    for (const Other& other : others_) {
      if (other.heard < since) return silent(other);
    }
    return "another process cannot be reached any more";
  }

 private:
  struct Other {
    int rank = 0;
    std::vector<std::uint8_t> beat;
    Clock::time_point heard;
  };

  std::string silent(const Other& other) const {
    return fmt::format("process {} of {} has ended or stands still", other.rank + 1, world_.size);
  }

  // Whether it is over before the time is.
  bool pauses(Clock::duration time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [&] { return is_over_; });
  }

  void beat() { store_->set(beat_key(world_.rank), bytes_of(fmt::to_string(++n_beats_))); }

  // Who is lost, in words; empty: nobody.
  std::string look() {
    std::vector<std::string> keys;
    for (const Other& other : others_) keys.push_back(beat_key(other.rank));
    std::vector<std::vector<std::uint8_t>> beats;
    try {
      beat();
      beats = store_->multiGet(keys);
    } catch (const std::exception&) {
      return fmt::format("{} has ended: nothing answers at {}:{}",
                         world_.has_store ? std::string("the launcher")
                                          : fmt::format("process 1 of {}", world_.size),
                         world_.address, world_.port);
    }
    const Clock::time_point now = Clock::now();
    const std::lock_guard lock(mutex_);
    const bool was_away = now - last_look_ > kOwnPause;
    last_look_ = now;
    for (std::size_t i = 0; i < others_.size(); ++i) {
      Other& other = others_[i];
      if (was_away || beats[i] != other.beat) {
        other.beat = beats[i];
        other.heard = now;
      } else if (now - other.heard > kSilence) {
        return silent(other);
      }
    }
    return {};
  }

  World world_;
  c10::intrusive_ptr<c10d::Store> store_;
  std::function<void(const std::string&)> on_lost_;
  std::int64_t n_beats_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_over_ = false;
  std::string lost_;
  std::vector<Other> others_;
  Clock::time_point last_look_ = Clock::now();
};

Team::Watch::Watch(const World& world,
                   c10::intrusive_ptr<c10d::Store> store,
                   std::function<void(const std::string&)> on_lost)
    : state_(std::make_unique<State>(world, std::move(store), std::move(on_lost))) {}

Team::Watch::~Watch() {
  stop();
  if (thread_.joinable()) thread_.join();
}

void Team::Watch::start() {
  thread_ = std::thread([this] { state_->run(); });
}

std::string Team::Watch::find_lost() {
  return state_->find_lost();
}

void Team::Watch::stop() {
  state_->stop();
}

}  // namespace labelprobe::model
