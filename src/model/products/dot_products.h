// Dot products of rows with rows, for weights that are unpacked a few rows at a time. Every one is
// added up in the same order, whatever is computed beside it. With AVX-512 that is two times
// sixteen sums, of the even and the odd sixteens of the columns (of bfloat16: thirty-twos, in
// pairs), which are joined at the end; on other processors it is eight.
//   T  rows of the input   N  rows of the weight   C  columns
#pragma once

#include <cstdint>

#include <c10/core/ScalarType.h>

namespace labelprobe::model {

// The type to unpack weights to for products with x of a type: itself, or float32 where this
// processor does not multiply bfloat16 or the type is float16.
c10::ScalarType dot_type(c10::ScalarType type);

// Rows of numbers, `stride` apart: float32, or bfloat16 by its bits.
template <typename Number>
struct Rows {
  const Number* first = nullptr;
  std::int64_t n = 0;
  std::int64_t stride = 0;
};

// result[t, i] = x[t] . weight[i] + bias[i], where there is a bias; result's rows are `stride`
// apart. By the thread that calls. Numbers are of dot_type().
void multiply_rows(const Rows<float>& x,
                   const Rows<float>& weight,
                   std::int64_t n_columns,
                   const float* bias,
                   float* result,
                   std::int64_t stride);
void multiply_rows(const Rows<std::uint16_t>& x,
                   const Rows<std::uint16_t>& weight,
                   std::int64_t n_columns,
                   const float* bias,
                   std::uint16_t* result,
                   std::int64_t stride);

// The first of them as processors without AVX-512 compute it, here on any.
void multiply_rows_plainly(const Rows<float>& x,
                           const Rows<float>& weight,
                           std::int64_t n_columns,
                           const float* bias,
                           float* result,
                           std::int64_t stride);

}  // namespace labelprobe::model
