#include "labelprobe/analysis/platt_scaling.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "labelprobe/analysis/newton.h"
#include "labelprobe/core/error.h"

#include "analysis/solve/sigmoid.h"

namespace labelprobe::analysis {

namespace {

struct PlattPoint {
  double x = 0.0;
  double share = 0.0;
};

// Largest slope of the mean loss at its minimum, in units of the scaled x.
constexpr double kPlattSlopeWanted = 1e-9;
constexpr double kPlattSlopeTried = 1e-12;

std::vector<PlattPoint> collect(const LabelNumbers& inputs, const Votes& votes) {
  std::vector<PlattPoint> points;
  for (const auto& [example_id, xs] : inputs) {
    const auto found = votes.find(example_id);
    if (found == votes.end()) continue;
    const std::vector<double>& shares = found->second.shares;
    LABELPROBE_CHECK(shares.size() == xs.size());
    for (std::size_t label = 0; label < xs.size(); ++label) {
      LABELPROBE_CHECK(std::isfinite(xs[label]));
      points.push_back({xs[label], shares[label]});
    }
  }
  return points;
}

// The loss has one finite minimum exactly if no line weight * x + bias is >= 0 wherever somebody
// chose the label and <= 0 wherever somebody did not, other than 0 everywhere. In one dimension
// that is a matter of the outermost points.
void require_optimum(const std::vector<PlattPoint>& points) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double low_chosen = kInfinity;
  double high_chosen = -kInfinity;
  double low_refused = kInfinity;
  double high_refused = -kInfinity;
  for (const PlattPoint& point : points) {
    if (point.share > 0.0) {
      low_chosen = std::min(low_chosen, point.x);
      high_chosen = std::max(high_chosen, point.x);
    }
    if (point.share < 1.0) {
      low_refused = std::min(low_refused, point.x);
      high_refused = std::max(high_refused, point.x);
    }
  }
  if (low_chosen == kInfinity || low_refused == kInfinity) {
    throw DataError(
        fmt::format("Platt scaling: expected shares of which some are above 0 and some below 1, "
                    "found all {}; fit on another split",
                    low_chosen == kInfinity ? 0 : 1));
  }
  if (low_chosen >= high_refused || high_chosen <= low_refused) {
    throw DataError(
        "Platt scaling: a threshold on the inputs separates the labels chosen from the others, or "
        "all inputs are equal, so that no finite weight is best; fit on more examples");
  }
}

// The mean binary cross-entropy of sigmoid(weight * x + bias) against the shares.
class MeanLoss : public ConvexFunction {
 public:
  explicit MeanLoss(const std::vector<PlattPoint>& points) : points_(points) {}

  std::vector<double> gradient(const std::vector<double>& platt) const override {
    std::vector<double> slopes(2);
    for (const PlattPoint& point : points_) {
      const double residual = (prob(platt, point) - point.share) * weight_of_one();
      slopes[0] += residual * point.x;
      slopes[1] += residual;
    }
    return slopes;
  }

  std::vector<double> newton_step(const std::vector<double>& platt,
                                  const std::vector<double>& slopes) const override {
    double weight_weight = 0.0;
    double weight_bias = 0.0;
    double bias_bias = 0.0;
    for (const PlattPoint& point : points_) {
      const double p = prob(platt, point);
      const double curvature = p * (1.0 - p) * weight_of_one();
      weight_weight += curvature * point.x * point.x;
      weight_bias += curvature * point.x;
      bias_bias += curvature;
    }
    const double determinant = weight_weight * bias_bias - weight_bias * weight_bias;
    return {(bias_bias * slopes[0] - weight_bias * slopes[1]) / determinant,
            (weight_weight * slopes[1] - weight_bias * slopes[0]) / determinant};
  }

 private:
  static double prob(const std::vector<double>& platt, const PlattPoint& point) {
    return sigmoid(platt[0] * point.x + platt[1]);
  }
  double weight_of_one() const { return 1.0 / static_cast<double>(points_.size()); }

  const std::vector<PlattPoint>& points_;
};

}  // namespace

PlattScaling fit_platt(const LabelNumbers& inputs, const Votes& votes) {
  std::vector<PlattPoint> points = collect(inputs, votes);
  if (points.empty()) {
    throw DataError("Platt scaling: expected examples with votes and an estimate, found none");
  }
  require_optimum(points);
  // Centred and scaled, so that the two derivatives are of one size.
  const auto [low, high] =
      std::minmax_element(points.begin(), points.end(),
                          [](const PlattPoint& a, const PlattPoint& b) { return a.x < b.x; });
  const double centre = (low->x + high->x) / 2.0;
  const double scale = (high->x - low->x) / 2.0;
  for (PlattPoint& point : points) point.x = (point.x - centre) / scale;
  const Minimum found = minimize(MeanLoss(points), {0.0, 0.0}, kPlattSlopeTried);
  if (!(found.largest_slope <= kPlattSlopeWanted)) {
    throw DataError(
        "Platt scaling: no minimum was reached, the shares are all but separated by the inputs; "
        "fit on more examples");
  }
  const double weight = found.x[0] / scale;
  return {weight, found.x[1] - weight * centre};
}

}  // namespace labelprobe::analysis
