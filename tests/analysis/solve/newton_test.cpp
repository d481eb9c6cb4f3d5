#include "labelprobe/analysis/newton.h"

#include <cmath>

#include "support/catch.h"

namespace labelprobe::analysis {
namespace {

// cosh(x - 1) + (y + 2)^2 + (x - 1)(y + 2), whose minimum is at (1, -2).
class Bowl : public ConvexFunction {
 public:
  std::vector<double> gradient(const std::vector<double>& x) const override {
    const double a = x[0] - 1.0;
    const double b = x[1] + 2.0;
    return {std::sinh(a) + b, 2.0 * b + a};
  }
  std::vector<double> newton_step(const std::vector<double>& x,
                                  const std::vector<double>& slopes) const override {
    const double steepness = std::cosh(x[0] - 1.0);
    const double determinant = 2.0 * steepness - 1.0;
    return {(2.0 * slopes[0] - slopes[1]) / determinant,
            (steepness * slopes[1] - slopes[0]) / determinant};
  }
};

// ln cosh(x - 3): flat far from its minimum, so that a full step from 0 leaps far beyond it.
class Valley : public ConvexFunction {
 public:
  std::vector<double> gradient(const std::vector<double>& x) const override {
    return {std::tanh(x[0] - 3.0)};
  }
  std::vector<double> newton_step(const std::vector<double>& x,
                                  const std::vector<double>& slopes) const override {
    return {slopes[0] / (1.0 - std::pow(std::tanh(x[0] - 3.0), 2))};
  }
};

TEST_CASE("Newton's method finds the minimum of coupled numbers", "[analysis]") {
  const Minimum found = minimize(Bowl(), {6.0, 9.0}, 1e-12);
  CHECK(found.x[0] == Approx(1.0).margin(1e-11));
  CHECK(found.x[1] == Approx(-2.0).margin(1e-11));
  CHECK(found.largest_slope <= 1e-12);
  CHECK(found.n_iterations > 1);
}

TEST_CASE("Steps that would overshoot are halved", "[analysis]") {
  const Minimum found = minimize(Valley(), {0.0}, 1e-12);
  CHECK(found.x[0] == Approx(3.0).margin(1e-11));
  CHECK(found.largest_slope <= 1e-12);
}

TEST_CASE("What is at the minimum already stays there", "[analysis]") {
  const Minimum found = minimize(Valley(), {3.0}, 1e-12);
  CHECK(found.x == std::vector<double>{3.0});
  CHECK(found.n_iterations == 0);
}

TEST_CASE("A function that is no bowl ends with the slope it has", "[analysis]") {
  class Slope : public ConvexFunction {
   public:
    std::vector<double> gradient(const std::vector<double>&) const override { return {1.0}; }
    std::vector<double> newton_step(const std::vector<double>&,
                                    const std::vector<double>&) const override {
      return {1.0};
    }
  };
  CHECK(minimize(Slope(), {0.0}, 1e-12).largest_slope == 1.0);
}

}  // namespace
}  // namespace labelprobe::analysis
