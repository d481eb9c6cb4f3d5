#include "labelprobe/analysis/platt_scaling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "labelprobe/core/error.h"

#include "analysis/estimate/sigmoid.h"

namespace labelprobe::analysis {

namespace {

struct Point {
  double x = 0.0;
  double share = 0.0;
};

constexpr int kMaxIterations = 1000;
constexpr double kGradientWanted = 1e-12;  // of the mean loss, in units of the scaled x

std::vector<Point> collect(const std::map<std::string, std::vector<double>>& inputs,
                           const Votes& votes) {
  std::vector<Point> points;
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
void require_optimum(const std::vector<Point>& points) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double low_chosen = kInfinity;
  double high_chosen = -kInfinity;
  double low_refused = kInfinity;
  double high_refused = -kInfinity;
  for (const Point& point : points) {
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
        "Platt scaling: expected shares of which some are above 0 and some below 1, "
        "found all " +
        std::string(low_chosen == kInfinity ? "0" : "1") + "; fit on another split");
  }
  if (low_chosen >= high_refused || high_chosen <= low_refused) {
    throw DataError(
        "Platt scaling: a threshold on the inputs separates the labels chosen from the others, or "
        "all inputs are equal, so that no finite weight is best; fit on more examples");
  }
}

// Mean binary cross-entropy at (weight, bias), computed without logarithms of 0.
double mean_loss(const std::vector<Point>& points, const PlattScaling& platt) {
  double sum = 0.0;
  for (const Point& point : points) {
    const double z = platt.weight * point.x + platt.bias;
    sum += std::max(z, 0.0) - point.share * z + std::log1p(std::exp(-std::abs(z)));
  }
  return sum / static_cast<double>(points.size());
}

struct Derivatives {
  double weight = 0.0;
  double bias = 0.0;
  double weight_weight = 0.0;
  double weight_bias = 0.0;
  double bias_bias = 0.0;
};

Derivatives derive(const std::vector<Point>& points, const PlattScaling& platt) {
  Derivatives mean;
  const double share_of_one = 1.0 / static_cast<double>(points.size());
  for (const Point& point : points) {
    const double p = sigmoid(platt.weight * point.x + platt.bias);
    const double residual = (p - point.share) * share_of_one;
    const double curvature = p * (1.0 - p) * share_of_one;
    mean.weight += residual * point.x;
    mean.bias += residual;
    mean.weight_weight += curvature * point.x * point.x;
    mean.weight_bias += curvature * point.x;
    mean.bias_bias += curvature;
  }
  return mean;
}

// Newton's method from weight 0, bias 0; steps are halved until the loss falls.
PlattScaling minimise(const std::vector<Point>& points) {
  PlattScaling platt{0.0, 0.0};
  double loss = mean_loss(points, platt);
  for (int i = 0; i < kMaxIterations; ++i) {
    const Derivatives at = derive(points, platt);
    if (std::max(std::abs(at.weight), std::abs(at.bias)) <= kGradientWanted) return platt;
    const double determinant = at.weight_weight * at.bias_bias - at.weight_bias * at.weight_bias;
    const double weight_step = (at.bias_bias * at.weight - at.weight_bias * at.bias) / determinant;
    const double bias_step =
        (at.weight_weight * at.bias - at.weight_bias * at.weight) / determinant;
    bool has_moved = false;
    for (double length = 1.0; length > 1e-9 && !has_moved; length /= 2.0) {
      const PlattScaling next{platt.weight - length * weight_step, platt.bias - length * bias_step};
      const double next_loss = mean_loss(points, next);
      // Near the minimum the loss no longer tells steps apart; the full step is right there.
      const bool is_near = std::abs(weight_step * at.weight + bias_step * at.bias) < 1e-13 * loss;
      has_moved = next_loss < loss || is_near;
      if (has_moved) {
        platt = next;
        loss = next_loss;
      }
    }
    if (!has_moved) break;
  }
  const Derivatives at = derive(points, platt);
  if (!(std::max(std::abs(at.weight), std::abs(at.bias)) <= 1e-9)) {
    throw DataError(
        "Platt scaling: no minimum was reached, the shares are all but separated by the inputs; "
        "fit on more examples");
  }
  return platt;
}

}  // namespace

PlattScaling fit_platt(const std::map<std::string, std::vector<double>>& inputs,
                       const Votes& votes) {
  std::vector<Point> points = collect(inputs, votes);
  if (points.empty()) {
    throw DataError("Platt scaling: expected examples with votes and an estimate, found none");
  }
  require_optimum(points);
  // Centred and scaled, so that the two derivatives are of one size.
  const auto [low, high] = std::minmax_element(
      points.begin(), points.end(), [](const Point& a, const Point& b) { return a.x < b.x; });
  const double centre = (low->x + high->x) / 2.0;
  const double scale = (high->x - low->x) / 2.0;
  for (Point& point : points) point.x = (point.x - centre) / scale;
  const PlattScaling scaled = minimise(points);
  const double weight = scaled.weight / scale;
  return {weight, scaled.bias - weight * centre};
}

}  // namespace labelprobe::analysis
