// A logistic regression with intercept: what it is fitted to, and what comes out. Solvers are in
// saga.h and exact_regression.h.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace labelprobe::training {

// Rows of features, one behind the other: [n_rows][n_features].
struct Rows {
  const double* numbers = nullptr;
  std::int64_t n_rows = 0;
  std::int64_t n_features = 0;

  const double* row(std::int64_t i) const { return numbers + i * n_features; }
};

// The class of every row. With two classes the regression has one column of weights, whose
// logistic function is the probability of class 1; with more it has one column per class, of whose
// products the probabilities are the softmax.
struct Targets {
  int n_classes = 2;
  std::vector<int> classes;  // [n_rows], from 0

  int n_columns() const { return n_classes == 2 ? 1 : n_classes; }
};

struct Regression {
  std::vector<double> weights;     // [n_columns][n_features]
  std::vector<double> intercepts;  // [n_columns]
  std::int64_t n_iterations = 0;   // epochs, or steps of Newton's method
  bool has_converged = false;
};

// Probabilities of all classes, [n_classes], from the products [n_columns] of a row and the
// columns, intercepts added.
std::vector<double> class_probs(std::span<const double> products);

// Told by a solver now and then, from the thread that called it: which iteration begins, and how
// many regressions are not done.
using SolverProgress = std::function<void(std::int64_t iteration, std::size_t n_left)>;

}  // namespace labelprobe::training
