// The sums of products that SAGA's steps consist of, for a few rows and columns of numbers. A
// library's product of matrices spends most of its time on arranging matrices as narrow as these.
#pragma once

#include <cstdint>
#include <span>

namespace labelprobe::training {

// The columns of a matrix come in steps of so many; those without a meaning hold zeros.
inline constexpr std::int64_t kColumnStep = 16;

// sums[r][c] = the sum over f of rows[r][f] * columns[f][c]
//   rows       the first of n_features numbers of each row
//   columns    [n_features][n_columns]; n_columns a multiple of kColumnStep
//   sums       [n_rows][n_columns]
void multiply_rows(std::span<const double* const> rows,
                   std::int64_t n_features,
                   const double* columns,
                   std::int64_t n_columns,
                   double* sums);

// columns[f][c] += the sum over r of rows[r][f] * factors[r][c], with shapes as above.
void add_rows(std::span<const double* const> rows,
              std::int64_t n_features,
              const double* factors,
              std::int64_t n_columns,
              double* columns);

// sums[c] -= the sum over r of factors[r] * rows[r][c]; rows [n_rows][n_columns],
// n_columns a multiple of half a step.
void subtract_rows(const double* rows,
                   const double* factors,
                   std::int64_t n_rows,
                   std::int64_t n_columns,
                   double* sums);

// Adds the others of n_parts parts to the first; parts [n_parts][n], n a multiple of half a step.
void add_up(double* parts, std::int64_t n_parts, std::int64_t n);

}  // namespace labelprobe::training
