#include "app/terminal/interruption.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <csignal>
#include <iostream>
#include <string_view>
#include <system_error>

#include <unistd.h>

#include "labelprobe/core/error.h"

namespace labelprobe::app {

namespace {

// What an end needs at most: schedulers kill some 30 s after their first word, people sooner.
constexpr unsigned kPatience = 4;

struct Watched {
  int signal;
  std::string_view name;
};
constexpr std::array kWatched = {Watched{SIGINT, "SIGINT"}, Watched{SIGTERM, "SIGTERM"},
                                 Watched{SIGHUP, "SIGHUP"}};

constexpr std::string_view kTooSlow =
    "\nlabelprobe: stopped before the work at hand was over; what was finished is on disk, and the "
    "same command goes on\n";

volatile std::sig_atomic_t noted = 0;
std::array<struct sigaction, kWatched.size()> former_actions;

extern "C" void note(int signal) {
  if (noted != 0) ::_exit(128 + signal);
  noted = signal;
  ::alarm(kPatience);
}

extern "C" void end_now(int) {
  [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, kTooSlow.data(), kTooSlow.size());
  ::_exit(noted != 0 ? 128 + noted : kTimeIsUp);
}

void install(int signal, void (*handler)(int), struct sigaction* old) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, old);
}

}  // namespace

Interruption::Interruption(std::optional<Clock::time_point> deadline)
    : deadline_(deadline), last_(Clock::now()) {
  noted = 0;
  install(SIGALRM, end_now, nullptr);
  for (std::size_t i = 0; i < kWatched.size(); ++i) {
    ::sigaction(kWatched[i].signal, nullptr, &former_actions[i]);
    if (former_actions[i].sa_handler != SIG_IGN) install(kWatched[i].signal, note, nullptr);
  }
  if (deadline_) {
    const double left = std::chrono::duration<double>(*deadline_ - last_).count();
    ::alarm(static_cast<unsigned>(std::max(1.0, std::ceil(left))));
  }
}

Interruption::~Interruption() {
  ::alarm(0);
  for (std::size_t i = 0; i < kWatched.size(); ++i) {
    ::sigaction(kWatched[i].signal, &former_actions[i], nullptr);
  }
}

std::optional<Stop> Interruption::asked() {
  if (noted != 0) {
    const auto of = std::find_if(kWatched.begin(), kWatched.end(),
                                 [](const Watched& watched) { return watched.signal == noted; });
    return Stop{128 + noted, std::string(of->name)};
  }
  const Clock::time_point now = Clock::now();
  longest_ = std::max(longest_, now - last_);
  last_ = now;
  if (deadline_ && now + longest_ >= *deadline_) return Stop{kTimeIsUp, "the time limit"};
  return std::nullopt;
}

void stop_work(const Stop& stop, const std::string& what_is_kept) {
  std::cerr << "labelprobe: stopped by " << stop.reason << ": " << what_is_kept << std::endl;
  throw Interrupted{stop.exit_code};
}

double parse_duration(const std::string& text) {
  double seconds = 0;
  const char* at = text.data();
  const char* end = at + text.size();
  do {
    double number = 0;
    const auto [unit, error] = std::from_chars(at, end, number);
    const std::size_t which =
        unit < end ? std::string_view("smh").find(*unit) : std::string_view::npos;
    if (error != std::errc() || which == std::string_view::npos || !(number >= 0) ||
        !std::isfinite(number)) {
      throw ConfigError("expected a duration such as 45s, 90m or 3h50m, found '" + text + "'");
    }
    constexpr double kSeconds[] = {1, 60, 3600};
    seconds += number * kSeconds[which];
    at = unit + 1;
  } while (at < end);
  return seconds;
}

}  // namespace labelprobe::app
