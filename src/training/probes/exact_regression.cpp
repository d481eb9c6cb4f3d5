#include "training/probes/exact_regression.h"

#include <utility>

#include <ATen/ATen.h>

#include "labelprobe/analysis/newton.h"
#include "labelprobe/core/error.h"

namespace labelprobe::training {

namespace {

// Largest slope of the sum of losses at what counts as its minimum, and at what has converged.
constexpr double kSlopeWanted = 1e-9;
constexpr double kSlopeTaken = 1e-5;
// A step of Newton's need not be exact: so much of the slopes may be left.
constexpr double kShareLeft = 1e-3;
constexpr int kMaxConjugateSteps = 1000;

at::Tensor tensor_of(const std::vector<double>& numbers) {
  return at::tensor(numbers, at::kDouble);
}

std::vector<double> vector_of(const at::Tensor& numbers) {
  const at::Tensor flat = numbers.contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

// The penalised loss by all weights and intercepts: [n_columns][n_features + 1], the intercept of a
// column last.
class Loss : public analysis::ConvexFunction {
 public:
  Loss(const Rows& rows, const Targets& targets, double l2)
      : rows_(at::from_blob(const_cast<double*>(rows.numbers),
                            {rows.n_rows, rows.n_features},
                            at::TensorOptions(at::kDouble))),
        n_columns_(targets.n_columns()) {
    const at::Tensor classes = at::tensor(targets.classes, at::kLong);
    wanted_ = n_columns_ == 1 ? classes.to(at::kDouble).unsqueeze(1)
                              : at::one_hot(classes, n_columns_).to(at::kDouble);
    penalties_ = at::full({1, rows.n_features + 1}, l2, at::kDouble);
    penalties_[0][-1] = 0;
    squares_ = at::cat({rows_.square().sum(0), at::full({1}, rows.n_rows, at::kDouble)});
  }

  std::vector<double> gradient(const std::vector<double>& x) const override {
    const at::Tensor weights = shaped(tensor_of(x));
    return vector_of(summed(probs(weights) - wanted_) + penalties_ * weights);
  }

  std::vector<double> newton_step(const std::vector<double>& x,
                                  const std::vector<double>& slopes) const override {
    const at::Tensor at_x = probs(shaped(tensor_of(x)));
    return vector_of(solve(at_x, shaped(tensor_of(slopes))));
  }

 private:
  at::Tensor shaped(const at::Tensor& numbers) const { return numbers.view({n_columns_, -1}); }

  // [n_rows][n_columns]
  at::Tensor products(const at::Tensor& weights) const {
    const std::int64_t n_features = rows_.size(1);
    return at::mm(rows_, weights.narrow(1, 0, n_features).t()) + weights.select(1, n_features);
  }

  // The probability of class 1, or of every class.
  at::Tensor probs(const at::Tensor& weights) const {
    return n_columns_ == 1 ? products(weights).sigmoid() : products(weights).softmax(1);
  }

  // Slopes by weights and intercepts from those by the products.
  at::Tensor summed(const at::Tensor& by_products) const {
    return at::cat({at::mm(by_products.t(), rows_), by_products.sum(0).unsqueeze(1)}, 1);
  }

  // The curvature times a direction.
  at::Tensor curved(const at::Tensor& at_x, const at::Tensor& direction) const {
    at::Tensor moved = products(direction);
    if (n_columns_ == 1) {
      moved = at_x * (1 - at_x) * moved;
    } else {
      moved = at_x * (moved - (at_x * moved).sum(1, /*keepdim=*/true));
    }
    return summed(moved) + penalties_ * direction;
  }

  // Conjugate gradients, preconditioned by the curvature's diagonal as it were if all rows had the
  // mean one.
  at::Tensor solve(const at::Tensor& at_x, const at::Tensor& slopes) const {
    const at::Tensor diagonal = (at_x * (1 - at_x)).mean(0).unsqueeze(1) * squares_ + penalties_;
    at::Tensor step = at::zeros_like(slopes);
    at::Tensor left = slopes.clone();
    at::Tensor tuned = left / diagonal;
    at::Tensor direction = tuned.clone();
    double size = (left * tuned).sum().item<double>();
    const double enough = size * kShareLeft * kShareLeft;
    for (int i = 0; i < kMaxConjugateSteps && size > enough; ++i) {
      const at::Tensor curve = curved(at_x, direction);
      const double length = size / (direction * curve).sum().item<double>();
      step.add_(direction, length);
      left.sub_(curve, length);
      tuned = left / diagonal;
      const double next_size = (left * tuned).sum().item<double>();
      direction = tuned + direction * (next_size / size);
      size = next_size;
    }
    return step;
  }

  at::Tensor rows_;
  std::int64_t n_columns_;
  at::Tensor wanted_;     // [n_rows][n_columns], 1 for what the row is
  at::Tensor penalties_;  // [1][n_features + 1]
  at::Tensor squares_;    // [n_features + 1], sums over the rows
};

}  // namespace

Regression fit_exactly(const Rows& rows, const Targets& targets, double l2) {
  LABELPROBE_CHECK(l2 > 0 && rows.n_rows > 0);
  const auto n_columns = static_cast<std::size_t>(targets.n_columns());
  const auto n_features = static_cast<std::size_t>(rows.n_features);
  const analysis::Minimum minimum =
      analysis::minimize(Loss(rows, targets, l2),
                         std::vector<double>(n_columns * (n_features + 1), 0.0), kSlopeWanted);
  Regression found;
  for (std::size_t column = 0; column < n_columns; ++column) {
    const auto first = minimum.x.begin() + static_cast<std::ptrdiff_t>(column * (n_features + 1));
    found.weights.insert(found.weights.end(), first,
                         first + static_cast<std::ptrdiff_t>(n_features));
    found.intercepts.push_back(*(first + static_cast<std::ptrdiff_t>(n_features)));
  }
  found.n_iterations = minimum.n_iterations;
  found.has_converged = minimum.largest_slope <= kSlopeTaken;
  return found;
}

}  // namespace labelprobe::training
