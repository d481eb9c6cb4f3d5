#include "analysis/solve/cholesky.h"

#include <cmath>

namespace labelprobe::analysis {

void solve(Symmetric& matrix, std::vector<double>& b) {
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

}  // namespace labelprobe::analysis
