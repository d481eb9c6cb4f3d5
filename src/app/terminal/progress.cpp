#include "app/terminal/progress.h"

#include <cstdio>
#include <string>

#include <unistd.h>

namespace labelprobe::app {

namespace {

constexpr double kPlainLineEverySeconds = 10;

std::string duration(double seconds) {
  const auto total = static_cast<long>(seconds + 0.5);
  char text[32];
  if (total >= 3600) {
    std::snprintf(text, sizeof text, "%ldh%02ldm", total / 3600, total / 60 % 60);
  } else {
    std::snprintf(text, sizeof text, "%ldm%02lds", total / 60, total % 60);
  }
  return text;
}

}  // namespace

ProgressLine::ProgressLine(bool is_enabled)
    : is_enabled_(is_enabled),
      is_terminal_(::isatty(STDERR_FILENO) == 1),
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

void ProgressLine::show(const experiment::Progress& progress) {
  const std::size_t n_new = progress.n_done - progress.n_resumed;
  if (n_new == 0) {
    start_ = last_ = Clock::now();  // loading the model is no part of the pace
  }
  if (!is_enabled_) {
    return;
  }
  const Clock::time_point now = Clock::now();
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const bool is_last = progress.n_done == progress.n_total;
  if (!is_terminal_ && n_new > 0 && !is_last &&
      std::chrono::duration<double>(now - last_).count() < kPlainLineEverySeconds) {
    return;
  }
  last_ = now;
  char line[160];
  int length = std::snprintf(line, sizeof line, "%zu/%zu items", progress.n_done, progress.n_total);
  if (n_new > 0 && elapsed > 0) {
    const double left = elapsed / static_cast<double>(n_new) *
                        static_cast<double>(progress.n_total - progress.n_done);
    const double n_tokens = static_cast<double>(progress.effort.n_prompt_tokens_computed +
                                                progress.effort.n_generated_tokens);
    length +=
        std::snprintf(line + length, sizeof line - static_cast<std::size_t>(length),
                      ", %s %s, %.0f tokens/s computed", duration(is_last ? elapsed : left).c_str(),
                      is_last ? "in all" : "left", n_tokens / elapsed);
  }
  if (is_terminal_) {
    std::fprintf(stderr, "\r\033[K%s", line);
    is_line_open_ = true;
  } else {
    std::fprintf(stderr, "%s\n", line);
  }
  std::fflush(stderr);
}

}  // namespace labelprobe::app
