// Strengths of competitors from the outcomes of their pairings, by regularised maximum likelihood.
// Minimises sum over comparisons of -[q ln sigma(s_i - s_j) + (1 - q) ln sigma(s_j - s_i)] plus
// lambda times the sum of s^2: strictly convex, solved by Newton's method.
#pragma once

#include <span>
#include <vector>

namespace labelprobe::analysis {

struct Comparison {
  int first = 0;  // competitors, from 0
  int second = 0;
  double first_wins = 0.5;  // probability, 0 to 1, that `first` is the better one
};

struct Strengths {
  std::vector<double> scores;     // [n_competitors]
  double largest_gradient = 0.0;  // absolute component at the solution, at most 1e-10
  int n_iterations = 0;
};

// Competitors without a comparison get score 0, whatever the others' are. Throws InternalError for
// indices out of range, first_wins outside [0, 1] or a lambda that is not positive.
Strengths fit_bradley_terry(int n_competitors,
                            std::span<const Comparison> comparisons,
                            double lambda = 0.01);

}  // namespace labelprobe::analysis
