// What the fields of a log mean, for people: `labelprobe ls fields`, and the page of this room.
#pragma once

#include <span>
#include <string_view>

namespace labelprobe::record {

struct LogField {
  std::string_view name;  // of an entry of indexed_metrics.yml; "test_label_steps: index" below one
  std::string_view summary;
};

// In the order in which people ask.
std::span<const LogField> log_fields();

}  // namespace labelprobe::record
