// The numbers of a comparison that rest on all its items at once.
#pragma once

#include <cstddef>
#include <vector>

#include "labelprobe/analysis/run_comparison.h"

namespace labelprobe::analysis {

inline constexpr double kSmallestProb = 1e-12;  // of logarithms

// Fills places, margins, flips, usual_difference and worst from `items`.
void summarize(RunComparison& comparison);

// Places that are no label steps have names.
bool is_label_step(const ComparedStep& step);

struct Leader {
  std::size_t label = 0;
  std::size_t second = 0;  // `label` itself if there is no other
  double margin = 1.0;     // between the two; 1 if there is no second
};
Leader leader_of(const std::vector<double>& probs);

// Position of the largest probability, the first of equals.
std::size_t likeliest(const std::vector<double>& probs);

}  // namespace labelprobe::analysis
