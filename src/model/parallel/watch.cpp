#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "model/parallel/connections.h"

namespace labelprobe::model {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBeat(500);
// Longer silence means that a process is no more, or stands still. With the time that it is given
// to notice by itself, all have ended after less than ten seconds.
constexpr std::chrono::seconds kSilence(6);
constexpr std::chrono::seconds kGrace(2);
// After so long a pause of its own this process knows nothing of the others' silence.
constexpr std::chrono::seconds kOwnPause(3);

std::vector<std::uint8_t> bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

std::string beat_key(int rank) {
  return fmt::format("beat/{}", rank);
}

}  // namespace

// What the two threads share: one talks to the store, which may keep it waiting for ever where the
// store's process stands still; the other looks at what it has heard, and when.
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

  void talk() {
    std::vector<std::string> keys;
    for (const Other& other : others_) keys.push_back(beat_key(other.rank));
    do {
      try {
        beat();
        hear(store_->multiGet(keys));
      } catch (const std::exception&) {
        const std::lock_guard lock(mutex_);
        is_store_lost_ = true;
        return;
      }
    } while (!pauses(kBeat));
  }

  void watch() {
    while (!pauses(kBeat)) {
      if (const std::string lost = look(); !lost.empty()) {
        changed_.notify_all();
        if (!pauses(kGrace)) on_lost_(lost);
        return;
      }
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
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 4 * kBeat, [&] { return is_over_ || !lost_.empty(); });
    if (!lost_.empty()) return lost_;
    // A last beat may have been heard one beat late; of who lives none is older than two.
    const Clock::time_point since = Clock::now() - 5 * kBeat / 2;
    for (const Other& other : others_) {
      if (other.heard <= since) return silent(other);
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

  void hear(const std::vector<std::vector<std::uint8_t>>& beats) {
    const std::lock_guard lock(mutex_);
    const Clock::time_point now = Clock::now();
    store_answered_ = now;
    for (std::size_t i = 0; i < others_.size(); ++i) {
      if (beats[i] == others_[i].beat) continue;
      others_[i].beat = beats[i];
      others_[i].heard = now;
    }
  }

  // Who is lost, in words; empty: nobody.
  std::string look() {
    const std::lock_guard lock(mutex_);
    const Clock::time_point now = Clock::now();
    if (now - last_look_ > kOwnPause) {
      store_answered_ = now;
      for (Other& other : others_) other.heard = now;
    }
    last_look_ = now;
    if (is_store_lost_ || now - store_answered_ > kSilence) {
      lost_ = fmt::format("{} has ended or stands still: nothing answers at {}:{}",
                          world_.has_store ? std::string("the launcher")
                                           : fmt::format("process 1 of {}", world_.size),
                          world_.address, world_.port);
    }
    for (const Other& other : others_) {
      if (lost_.empty() && now - other.heard > kSilence) lost_ = silent(other);
    }
    return lost_;
  }

  World world_;
  c10::intrusive_ptr<c10d::Store> store_;
  std::function<void(const std::string&)> on_lost_;
  std::int64_t n_beats_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_over_ = false;
  bool is_store_lost_ = false;
  std::string lost_;
  std::vector<Other> others_;
  Clock::time_point store_answered_ = Clock::now();
  Clock::time_point last_look_ = Clock::now();
};

Team::Watch::Watch(const World& world,
                   c10::intrusive_ptr<c10d::Store> store,
                   std::function<void(const std::string&)> on_lost)
    : state_(std::make_shared<State>(world, std::move(store), std::move(on_lost))) {}

Team::Watch::~Watch() {
  stop();
  if (watching_.joinable()) watching_.join();
}

void Team::Watch::start() {
  // Nobody waits for this one at the end: it may be waiting for a process that is no more.
  std::thread([state = state_] { state->talk(); }).detach();
  watching_ = std::thread([this] { state_->watch(); });
}

std::string Team::Watch::find_lost() {
  return state_->find_lost();
}

void Team::Watch::stop() {
  state_->stop();
}

}  // namespace labelprobe::model
