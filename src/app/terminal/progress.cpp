#include "app/terminal/progress.h"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "app/terminal/colour.h"

namespace labelprobe::app {

namespace {

constexpr double kPlainLineEverySeconds = 10;
constexpr double kLivelyLineEverySeconds = 0.1;
constexpr std::size_t kProgressWidth = 20;

// The part of the work that is done: by items, and between two batches by tokens.
double share_done(const experiment::Progress& now) {
  const auto n_total = static_cast<double>(std::max<std::size_t>(1, now.n_total));
  const double by_items = static_cast<double>(now.n_done) / n_total;
  if (now.n_tokens_at_most <= 0 || now.n_done == now.n_total) return by_items;
  const double resumed = static_cast<double>(now.n_resumed) / n_total;
  const double by_tokens =
      resumed +
      (1.0 - resumed) * std::min(1.0, static_cast<double>(experiment::n_tokens_of(now.effort)) /
                                          static_cast<double>(now.n_tokens_at_most));
  // Computed tokens are not answered yet: the last batch is never said to be done.
  return std::max(by_items, std::min(by_tokens, 0.99));
}

std::string bar(double share) {
  const auto n_full = static_cast<std::size_t>(share * kProgressWidth);
  std::string text(kProgressWidth, ' ');
  std::fill_n(text.begin(), n_full, '=');
  if (n_full < kProgressWidth) text[n_full] = '>';
  return "[" + text + "] ";
}

}  // namespace

std::string describe_duration(double seconds) {
  const auto total = static_cast<long>(seconds + 0.5);
  return total >= 3600 ? fmt::format("{}h{:02}m", total / 3600, total / 60 % 60)
                       : fmt::format("{}m{:02}s", total / 60, total % 60);
}

std::string describe_progress(const experiment::Progress& now,
                              const std::string& name,
                              double seconds,
                              bool has_bar) {
  const double share = share_done(now);
  std::string line = name.empty() ? "" : name + (has_bar ? " " : ": ");
  if (has_bar) line += bar(share);
  line += fmt::format("{}/{} items", now.n_done, now.n_total);
  const std::int64_t n_tokens = experiment::n_tokens_of(now.effort);
  if (n_tokens == 0 || seconds <= 0) return line;
  const bool is_last = now.n_done == now.n_total;
  line += fmt::format(", {}{}", describe_duration(seconds), is_last ? " in all" : "");
  const double resumed = static_cast<double>(now.n_resumed) /
                         static_cast<double>(std::max<std::size_t>(1, now.n_total));
  if (!is_last && share > resumed) {
    line +=
        fmt::format(", {} left", describe_duration(seconds * (1.0 - share) / (share - resumed)));
  }
  return line + fmt::format(", {:.0f} tokens/s", static_cast<double>(n_tokens) / seconds);
}

ProgressLine::ProgressLine(bool is_enabled, std::string name)
    : is_enabled_(is_enabled),
      name_(std::move(name)),
      is_terminal_(has_lively_terminal()),
      start_(Clock::now()),
      last_(start_) {}

ProgressLine::~ProgressLine() {
  close();
}

void ProgressLine::close() {
  if (is_line_open_) {
    std::fputc('\n', stderr);
    is_line_open_ = false;
  }
}

bool ProgressLine::is_due(const experiment::Progress& now) const {
  const bool is_first_or_last = now.n_done == now.n_resumed
                                    ? now.effort.n_prompt_tokens_computed == 0
                                    : now.n_done == now.n_total;
  const double waited = std::chrono::duration<double>(Clock::now() - last_).count();
  return is_first_or_last ||
         waited >= (is_terminal_ ? kLivelyLineEverySeconds : kPlainLineEverySeconds);
}

void ProgressLine::show(const experiment::Progress& now) {
  if (now.effort.n_prompt_tokens_computed == 0) {
    start_ = last_ = Clock::now();  // loading the model is no part of the pace
  }
  if (!is_enabled_ || !is_due(now)) return;
  last_ = Clock::now();
  const double seconds = std::chrono::duration<double>(last_ - start_).count();
  const std::string line = describe_progress(now, name_, seconds, is_terminal_);
  const std::string text = is_terminal_ ? "\r\033[K" + line : line + "\n";
  std::fputs(text.c_str(), stderr);
  is_line_open_ = is_terminal_;
  std::fflush(stderr);
}

}  // namespace labelprobe::app
