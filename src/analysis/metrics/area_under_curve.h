// The area under the ROC curve.
#pragma once

#include <optional>
#include <vector>

namespace labelprobe::analysis {

struct RankedCase {
  double score = 0.0;
  bool is_positive = false;
};

// The probability that a positive case has a larger score than a negative one, ties half; unset
// unless there are cases of both. Scores that differ by less than 1e-9 of their size are ties:
// examples answered alike get equal strengths but for rounding, which must not rank them.
std::optional<double> area_under_curve(std::vector<RankedCase> cases);

}  // namespace labelprobe::analysis
