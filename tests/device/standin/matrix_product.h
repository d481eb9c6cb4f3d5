// Products of matrices, as the libraries for them compute: numbers of 16 or 32 bits, sums in
// float32, or bytes with sums in int32.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>
#include <library_types.h>

namespace standin {

// A matrix in columns, each `stride` elements after the one before it.
struct Matrix {
  const void* address = nullptr;
  cudaDataType type = CUDA_R_32F;
  std::int64_t stride = 0;
  bool is_transposed = false;
};

// result [m, n] = alpha a [m, k] b [k, n] + beta added [m, n] + bias [m]
struct Product {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  Matrix a;
  Matrix b;
  Matrix added;
  Matrix result;
  const void* bias = nullptr;  // of the result's type
  double alpha = 1;
  double beta = 0;
};

// Puts it into the stream. How a sum is cut into partial sums depends on m and n, as it does where
// a library chooses its code by the shape: equal rows of products of unequal shapes differ in their
// last bits.
void queue_product(const Product& product, const char* name, cudaStream_t stream);

}  // namespace standin
