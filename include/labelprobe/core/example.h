// One item of a data set: a text and its labels, as one annotator (or the aggregate of all) gave
// them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "labelprobe/core/label_set.h"

namespace labelprobe {

// The pseudo annotator that stands for all annotators together.
inline constexpr std::string_view kAggregate = "aggregate";

// Between the example's own id and the annotator in a full id: `eczdvun__aggregate`.
inline constexpr std::string_view kIdSeparator = "__";

struct Example {
  std::string example_id;  // the data set's own id, e.g. "eczdvun"
  std::string annotator;   // "aggregate" or an annotator of the data set
  std::string text;        // after the text preprocessor
  Labels labels;
  // What an earlier run predicted for it, where that was read.
  std::optional<Labels> prior_labels = {};

  // "<example_id>__<annotator>"
  std::string id() const { return example_id + std::string(kIdSeparator) + annotator; }
};

}  // namespace labelprobe
