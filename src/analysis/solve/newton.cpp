#include "labelprobe/analysis/newton.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace labelprobe::analysis {

namespace {

constexpr int kMaxIterations = 1000;
constexpr double kShortestStep = 1e-9;

double squared_norm(const std::vector<double>& numbers) {
  double sum = 0.0;
  for (const double number : numbers) sum += number * number;
  return sum;
}

double largest(const std::vector<double>& numbers) {
  double most = 0.0;
  for (const double number : numbers) most = std::max(most, std::abs(number));
  return most;
}

}  // namespace

Minimum minimize(const ConvexFunction& function, std::vector<double> start, double slope_wanted) {
  Minimum found{std::move(start), 0.0, 0};
  std::vector<double> slopes = function.gradient(found.x);
  for (; largest(slopes) > slope_wanted && found.n_iterations < kMaxIterations;
       ++found.n_iterations) {
    const std::vector<double> step = function.newton_step(found.x, slopes);
    bool is_shorter = false;
    for (double length = 1.0; length > kShortestStep && !is_shorter; length /= 2.0) {
      std::vector<double> x = found.x;
      for (std::size_t i = 0; i < x.size(); ++i) x[i] -= length * step[i];
      std::vector<double> next = function.gradient(x);
      is_shorter = squared_norm(next) < squared_norm(slopes);
      if (is_shorter) {
        found.x = std::move(x);
        slopes = std::move(next);
      }
    }
    if (!is_shorter) break;  // rounding is reached
  }
  found.largest_slope = largest(slopes);
  return found;
}

}  // namespace labelprobe::analysis
