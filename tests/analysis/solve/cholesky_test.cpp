#include "analysis/solve/cholesky.h"

#include <cmath>

#include "analysis/solve/bisection.h"
#include "support/catch.h"

namespace labelprobe::analysis {
namespace {

TEST_CASE("A small system of equations is solved from its lower triangle", "[analysis]") {
  // [[4, 2, 0], [2, 5, 3], [0, 3, 6]] * [1, -2, 3] = [0, 1, 12]
  Symmetric matrix(3);
  matrix.cells = {4, 99, 99, 2, 5, 99, 0, 3, 6};
  std::vector<double> b = {0, 1, 12};
  solve(matrix, b);
  CHECK(b[0] == Approx(1.0));
  CHECK(b[1] == Approx(-2.0));
  CHECK(b[2] == Approx(3.0));
}

TEST_CASE("What is not positive definite gives nothing finite", "[analysis]") {
  Symmetric matrix(1);
  matrix.cells = {-1.0};
  std::vector<double> b = {1.0};
  solve(matrix, b);
  CHECK_FALSE(std::isfinite(b[0]));
}

TEST_CASE("A rising function's zero is found to the last digit, or the bound where it has none",
          "[analysis]") {
  CHECK(find_zero([](double x) { return x * x * x - 2.0; }, -10.0, 10.0) ==
        Approx(std::cbrt(2.0)).epsilon(1e-15));
  CHECK(find_zero([](double x) { return x - 20.0; }, -10.0, 10.0) == 10.0);
  CHECK(find_zero([](double x) { return x + 20.0; }, -10.0, 10.0) == -10.0);
}

}  // namespace
}  // namespace labelprobe::analysis
