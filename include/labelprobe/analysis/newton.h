// Newton's method for smooth, strictly convex functions of a few numbers: strengths of labels,
// weight and bias of a calibration.
#pragma once

#include <vector>

namespace labelprobe::analysis {

class ConvexFunction {
 public:
  virtual ~ConvexFunction() = default;
  virtual std::vector<double> gradient(const std::vector<double>& x) const = 0;
  // The inverse of the curvature at `x` times `slopes`: the function knows its matrix's shape.
  virtual std::vector<double> newton_step(const std::vector<double>& x,
                                          const std::vector<double>& slopes) const = 0;
};

struct Minimum {
  std::vector<double> x;
  double largest_slope = 0.0;  // absolute component of the gradient at x
  int n_iterations = 0;
};

// The minimum, from `start` on. Each step is Newton's, halved until the gradient gets shorter, for
// a full step may overshoot. Ends at a gradient of at most `slope_wanted` or where rounding lets no
// step shorten it; the caller judges `largest_slope`.
Minimum minimize(const ConvexFunction& function, std::vector<double> start, double slope_wanted);

}  // namespace labelprobe::analysis
