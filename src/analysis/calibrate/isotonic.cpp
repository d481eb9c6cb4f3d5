// A rising curve per label, fitted by pooling neighbours that fall. The same choices as
// scikit-learn's IsotonicRegression(out_of_bounds="clip"): equal inputs are one point, points
// inside a level stretch are left out, lines join the points, and what lies outside has the
// outermost point's value.
#include <algorithm>
#include <cstddef>

#include "analysis/calibrate/fits.h"
#include "analysis/solve/softmax.h"

namespace labelprobe::analysis {

namespace {

// Inputs that are nearer than this are equal.
constexpr double kSame = 1e-15;

struct Point {
  double x = 0.0;
  double y = 0.0;
  double weight = 1.0;
};

std::vector<Point> without_repeats(const std::vector<Point>& sorted) {
  std::vector<Point> points;
  for (const Point& point : sorted) {
    if (points.empty() || point.x - points.back().x >= kSame) {
      points.push_back(point);
      continue;
    }
    Point& last = points.back();
    last.y = (last.y * last.weight + point.y) / (last.weight + 1.0);
    last.weight += 1.0;
  }
  return points;
}

// Sets every y to the mean of its pool.
void pool_falling(std::vector<Point>& points) {
  struct Pool {
    double mean = 0.0;
    double weight = 0.0;
    std::size_t n = 0;
  };
  std::vector<Pool> pools;
  for (const Point& point : points) {
    Pool pool{point.y, point.weight, 1};
    while (!pools.empty() && pools.back().mean >= pool.mean) {
      const Pool& before = pools.back();
      const double weight = before.weight + pool.weight;
      pool = {(before.mean * before.weight + pool.mean * pool.weight) / weight, weight,
              before.n + pool.n};
      pools.pop_back();
    }
    pools.push_back(pool);
  }
  std::size_t at = 0;
  for (const Pool& pool : pools) {
    for (std::size_t i = 0; i < pool.n; ++i) points[at++].y = pool.mean;
  }
}

double value_at(const std::vector<double>& xs, const std::vector<double>& ys, double x) {
  const auto above =
      static_cast<std::size_t>(std::lower_bound(xs.begin(), xs.end(), x) - xs.begin());
  if (above == 0) return ys.front();
  if (above == xs.size()) return ys.back();
  const double slope = (ys[above] - ys[above - 1]) / (xs[above] - xs[above - 1]);
  return ys[above - 1] + slope * (x - xs[above - 1]);
}

}  // namespace

CalibrationParameters fit_isotonic(const CalibrationInput& input) {
  CalibrationParameters found;
  std::vector<std::vector<double>>& all_xs = found.curves["prob"];
  std::vector<std::vector<double>>& all_ys = found.curves["share"];
  for (std::size_t label = 0; label < static_cast<std::size_t>(input.label_set.size()); ++label) {
    std::vector<Point> points;
    for (const auto& [id, probs] : input.estimates.probs) {
      points.push_back({probs[label], input.votes.at(id).shares[label]});
    }
    std::sort(points.begin(), points.end(),
              [](const Point& a, const Point& b) { return a.x != b.x ? a.x < b.x : a.y < b.y; });
    points = without_repeats(points);
    pool_falling(points);
    std::vector<double>& xs = all_xs.emplace_back();
    std::vector<double>& ys = all_ys.emplace_back();
    for (std::size_t i = 0; i < points.size(); ++i) {
      const bool is_inside = i > 0 && i + 1 < points.size() && points[i].y == points[i - 1].y &&
                             points[i].y == points[i + 1].y;
      if (is_inside) continue;
      xs.push_back(points[i].x);
      ys.push_back(points[i].y);
    }
  }
  return found;
}

std::vector<double> apply_isotonic(const CalibrationParameters& parameters,
                                   LabelKind kind,
                                   const std::vector<double>& probs) {
  const auto& xs = parameters.curves.find("prob")->second;
  const auto& ys = parameters.curves.find("share")->second;
  std::vector<double> found;
  for (std::size_t label = 0; label < probs.size(); ++label) {
    found.push_back(value_at(xs[label], ys[label], probs[label]));
  }
  return kind == LabelKind::SingleLabel ? normalized(std::move(found)) : found;
}

}  // namespace labelprobe::analysis
