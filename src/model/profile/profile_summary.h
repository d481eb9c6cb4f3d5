// What the events of a trace add up to. No torch in here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "labelprobe/model/profile.h"

namespace labelprobe::model {

// From begin_ns to before end_ns of one clock. Host events of a thread lie inside or beside each
// other; those of the GPU may overlap.
struct TracedEvent {
  enum class Place { Host, Gpu };
  std::string name;
  Place place = Place::Host;
  std::uint64_t thread = 0;  // of the host
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
};

// What was recorded, when, and on which thread; events reach beyond it by what they do.
struct Recorded {
  std::vector<TracedEvent> events;
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::uint64_t thread = 0;
};

// Everything but is_whole and is_gpu.
ProfileSummary summarize(Recorded recorded);

}  // namespace labelprobe::model
