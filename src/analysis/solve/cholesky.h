// Small systems of equations with a symmetric, positive definite matrix: no pivoting, and no need
// of a linear algebra library for these few lines.
#pragma once

#include <cstddef>
#include <vector>

namespace labelprobe::analysis {

// A symmetric matrix, of which the lower triangle counts: [n][n], row by row.
struct Symmetric {
  std::size_t n;
  std::vector<double> cells;

  explicit Symmetric(std::size_t size) : n(size), cells(size * size, 0.0) {}
  double& at(std::size_t row, std::size_t column) { return cells[row * n + column]; }
};

// Solves matrix * x = b by Cholesky's decomposition, in place of both. Not positive definite: what
// b holds is not finite.
void solve(Symmetric& matrix, std::vector<double>& b);

}  // namespace labelprobe::analysis
