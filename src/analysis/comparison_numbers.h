// The numbers of a comparison that rest on all its items at once.
#pragma once

#include <cstddef>
#include <vector>

#include "labelprobe/analysis/run_comparison.h"

namespace labelprobe::analysis {

inline constexpr double kSmallestProb = 1e-12;  // of logarithms

// Fills places, margins, flips, usual_difference and worst from `items`.
void summarize(RunComparison& comparison);

// Position of the largest probability, the first of equals.
std::size_t likeliest(const std::vector<double>& probs);

}  // namespace labelprobe::analysis
