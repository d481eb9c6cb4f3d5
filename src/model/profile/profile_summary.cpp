#include "model/profile/profile_summary.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace labelprobe::model {
namespace {

constexpr double kSecondsPerNs = 1e-9;

using Events = std::vector<const TracedEvent*>;

// Adds up by name.
class SummaryRows {
 public:
  void add(std::string_view name, std::int64_t n_calls, std::int64_t ns) {
    auto& [calls, total_ns] = totals_[name];
    calls += n_calls;
    total_ns += ns;
  }

  std::vector<ProfileRow> sorted() const {
    std::vector<ProfileRow> rows;
    for (const auto& [name, total] : totals_) {
      rows.push_back(
          {std::string(name), total.first, static_cast<double>(total.second) * kSecondsPerNs});
    }
    std::sort(rows.begin(), rows.end(), [](const ProfileRow& a, const ProfileRow& b) {
      return std::tie(b.seconds, a.name) < std::tie(a.seconds, b.name);
    });
    return rows;
  }

 private:
  std::unordered_map<std::string_view, std::pair<std::int64_t, std::int64_t>> totals_;
};

// Each event's time goes to itself and not to the one that it lies in.
std::vector<ProfileRow> own_times(Events events) {
  std::stable_sort(events.begin(), events.end(), [](const TracedEvent* a, const TracedEvent* b) {
    return std::tie(a->thread, a->begin_ns, b->end_ns) <
           std::tie(b->thread, b->begin_ns, a->end_ns);
  });
  SummaryRows rows;
  Events around;
  for (const TracedEvent* event : events) {
    while (!around.empty() &&
           (around.back()->thread != event->thread || around.back()->end_ns <= event->begin_ns)) {
      around.pop_back();
    }
    rows.add(event->name, 1, event->end_ns - event->begin_ns);
    if (!around.empty()) {
      rows.add(around.back()->name, 0,
               event->begin_ns - std::min(event->end_ns, around.back()->end_ns));
    }
    around.push_back(event);
  }
  return rows.sorted();
}

// Time in at least one of the events.
double covered_seconds(Events events) {
  std::sort(events.begin(), events.end(),
            [](const TracedEvent* a, const TracedEvent* b) { return a->begin_ns < b->begin_ns; });
  std::int64_t covered_ns = 0;
  std::int64_t end_ns = 0;
  for (const TracedEvent* event : events) {
    covered_ns += std::max<std::int64_t>(0, event->end_ns - std::max(event->begin_ns, end_ns));
    end_ns = std::max(end_ns, event->end_ns);
  }
  return static_cast<double>(covered_ns) * kSecondsPerNs;
}

}  // namespace

ProfileSummary summarize(Recorded recorded) {
  Events host;
  Events caller;  // its own thread, of the host's
  Events gpu;
  SummaryRows kernels;
  for (TracedEvent& event : recorded.events) {
    event.begin_ns = std::max(event.begin_ns, recorded.begin_ns);
    event.end_ns = std::min(event.end_ns, recorded.end_ns);
    if (event.end_ns <= event.begin_ns) continue;
    if (event.place == TracedEvent::Place::Gpu) {
      gpu.push_back(&event);
      kernels.add(event.name, 1, event.end_ns - event.begin_ns);
      continue;
    }
    host.push_back(&event);
    if (event.thread == recorded.thread) caller.push_back(&event);
  }
  ProfileSummary summary;
  summary.seconds = static_cast<double>(recorded.end_ns - recorded.begin_ns) * kSecondsPerNs;
  summary.operators = own_times(std::move(host));
  summary.unnamed_seconds = summary.seconds - covered_seconds(std::move(caller));
  summary.kernels = kernels.sorted();
  summary.gpu_busy_seconds = covered_seconds(std::move(gpu));
  return summary;
}

}  // namespace labelprobe::model
