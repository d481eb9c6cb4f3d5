#include "labelprobe/analysis/bradley_terry.h"

#include <cmath>
#include <cstddef>
#include <utility>

#include "labelprobe/analysis/newton.h"
#include "labelprobe/core/error.h"

#include "analysis/solve/cholesky.h"
#include "analysis/solve/sigmoid.h"

namespace labelprobe::analysis {

namespace {

constexpr double kStrengthSlopeWanted = 1e-10;  // promised by the header
constexpr double kStrengthSlopeTried = 1e-13;   // one more step is cheap and usually gets there

// Minus the log-likelihood of the comparisons, with its ridge, which keeps every eigenvalue of the
// curvature at 2 * lambda or more.
class Objective : public ConvexFunction {
 public:
  Objective(std::size_t n, std::span<const Comparison> comparisons, double lambda)
      : n_(n), comparisons_(comparisons), lambda_(lambda) {}

  std::vector<double> gradient(const std::vector<double>& scores) const override {
    std::vector<double> slopes(n_);
    for (const Comparison& pair : comparisons_) {
      const double residual = sigmoid(difference(scores, pair)) - pair.first_wins;
      slopes[static_cast<std::size_t>(pair.first)] += residual;
      slopes[static_cast<std::size_t>(pair.second)] -= residual;
    }
    for (std::size_t i = 0; i < n_; ++i) slopes[i] += 2.0 * lambda_ * scores[i];
    return slopes;
  }

  std::vector<double> newton_step(const std::vector<double>& scores,
                                  const std::vector<double>& slopes) const override {
    Symmetric matrix = curvature(scores);
    std::vector<double> step = slopes;
    solve(matrix, step);
    return step;
  }

 private:
  Symmetric curvature(const std::vector<double>& scores) const {
    Symmetric matrix(n_);
    for (std::size_t i = 0; i < n_; ++i) matrix.at(i, i) = 2.0 * lambda_;
    for (const Comparison& pair : comparisons_) {
      const double p = sigmoid(difference(scores, pair));
      const double weight = p * (1.0 - p);
      const auto i = static_cast<std::size_t>(pair.first);
      const auto j = static_cast<std::size_t>(pair.second);
      if (i == j) continue;  // constant
      matrix.at(i, i) += weight;
      matrix.at(j, j) += weight;
      matrix.at(i, j) -= weight;
      matrix.at(j, i) -= weight;
    }
    return matrix;
  }

  static double difference(const std::vector<double>& scores, const Comparison& pair) {
    return scores[static_cast<std::size_t>(pair.first)] -
           scores[static_cast<std::size_t>(pair.second)];
  }

  std::size_t n_;
  std::span<const Comparison> comparisons_;
  double lambda_;
};

}  // namespace

Strengths fit_bradley_terry(int n_competitors,
                            std::span<const Comparison> comparisons,
                            double lambda) {
  LABELPROBE_CHECK(n_competitors >= 0 && lambda > 0.0);
  for (const Comparison& pair : comparisons) {
    LABELPROBE_CHECK(pair.first >= 0 && pair.first < n_competitors);
    LABELPROBE_CHECK(pair.second >= 0 && pair.second < n_competitors);
    LABELPROBE_CHECK(pair.first_wins >= 0.0 && pair.first_wins <= 1.0);
  }
  const auto n = static_cast<std::size_t>(n_competitors);
  const Objective objective(n, comparisons, lambda);
  Minimum found = minimize(objective, std::vector<double>(n), kStrengthSlopeTried);
  LABELPROBE_CHECK(found.largest_slope <= kStrengthSlopeWanted);
  return {std::move(found.x), found.largest_slope, found.n_iterations};
}

}  // namespace labelprobe::analysis
