#include "labelprobe/analysis/bradley_terry.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "labelprobe/core/error.h"

#include "analysis/estimate/sigmoid.h"

namespace labelprobe::analysis {

namespace {

constexpr double kGradientWanted = 1e-10;  // promised by the header
constexpr double kGradientTried = 1e-13;   // one more step is cheap and usually gets there
constexpr int kMaxIterations = 200;

// The lower triangle of a symmetric matrix, [n][n], row by row.
struct Square {
  std::size_t n;
  std::vector<double> cells;

  explicit Square(std::size_t size) : n(size), cells(size * size, 0.0) {}
  double& at(std::size_t row, std::size_t column) { return cells[row * n + column]; }
};

// Solves matrix * x = b by Cholesky's decomposition, in place of both. The ridge keeps every
// eigenvalue at 2 * lambda or more: no pivoting, and no need of a linear algebra library for these
// few lines.
void solve_positive_definite(Square& matrix, std::vector<double>& b) {
  const std::size_t n = matrix.n;
  for (std::size_t row = 0; row < n; ++row) {
    for (std::size_t column = 0; column <= row; ++column) {
      double rest = matrix.at(row, column);
      for (std::size_t k = 0; k < column; ++k) rest -= matrix.at(row, k) * matrix.at(column, k);
      matrix.at(row, column) = row == column ? std::sqrt(rest) : rest / matrix.at(column, column);
    }
  }
  for (std::size_t row = 0; row < n; ++row) {
    for (std::size_t k = 0; k < row; ++k) b[row] -= matrix.at(row, k) * b[k];
    b[row] /= matrix.at(row, row);
  }
  for (std::size_t row = n; row-- > 0;) {
    for (std::size_t k = row + 1; k < n; ++k) b[row] -= matrix.at(k, row) * b[k];
    b[row] /= matrix.at(row, row);
  }
}

class Objective {
 public:
  Objective(std::size_t n, std::span<const Comparison> comparisons, double lambda)
      : n_(n), comparisons_(comparisons), lambda_(lambda) {}

  std::vector<double> gradient(const std::vector<double>& scores) const {
    std::vector<double> slopes(n_);
    for (const Comparison& pair : comparisons_) {
      const double residual = sigmoid(difference(scores, pair)) - pair.first_wins;
      slopes[static_cast<std::size_t>(pair.first)] += residual;
      slopes[static_cast<std::size_t>(pair.second)] -= residual;
    }
    for (std::size_t i = 0; i < n_; ++i) slopes[i] += 2.0 * lambda_ * scores[i];
    return slopes;
  }

  Square hessian(const std::vector<double>& scores) const {
    Square curvature(n_);
    for (std::size_t i = 0; i < n_; ++i) curvature.at(i, i) = 2.0 * lambda_;
    for (const Comparison& pair : comparisons_) {
      const double p = sigmoid(difference(scores, pair));
      const double weight = p * (1.0 - p);
      const auto i = static_cast<std::size_t>(pair.first);
      const auto j = static_cast<std::size_t>(pair.second);
      if (i == j) continue;  // constant
      curvature.at(i, i) += weight;
      curvature.at(j, j) += weight;
      curvature.at(i, j) -= weight;
      curvature.at(j, i) -= weight;
    }
    return curvature;
  }

 private:
  static double difference(const std::vector<double>& scores, const Comparison& pair) {
    return scores[static_cast<std::size_t>(pair.first)] -
           scores[static_cast<std::size_t>(pair.second)];
  }

  std::size_t n_;
  std::span<const Comparison> comparisons_;
  double lambda_;
};

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
  Strengths found{std::vector<double>(n), 0.0, 0};
  std::vector<double> slopes = objective.gradient(found.scores);
  for (; largest(slopes) > kGradientTried && found.n_iterations < kMaxIterations;
       ++found.n_iterations) {
    Square curvature = objective.hessian(found.scores);
    std::vector<double> step = slopes;
    solve_positive_definite(curvature, step);
    // Newton's direction shortens the gradient; a full step may overshoot where sigma is flat.
    bool is_shorter = false;
    for (double length = 1.0; length > 1e-6 && !is_shorter; length /= 2.0) {
      std::vector<double> scores = found.scores;
      for (std::size_t i = 0; i < n; ++i) scores[i] -= length * step[i];
      std::vector<double> next = objective.gradient(scores);
      is_shorter = squared_norm(next) < squared_norm(slopes);
      if (is_shorter) {
        found.scores = std::move(scores);
        slopes = std::move(next);
      }
    }
    if (!is_shorter) break;  // rounding is reached
  }
  found.largest_gradient = largest(slopes);
  LABELPROBE_CHECK(found.largest_gradient <= kGradientWanted);
  return found;
}

}  // namespace labelprobe::analysis
