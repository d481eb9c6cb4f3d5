#include "matrix_product.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "world.h"

namespace standin {
namespace {

[[noreturn]] void refuse(cudaDataType type) {
  std::fprintf(stderr, "stand-in: no products of CUDA type %d\n", static_cast<int>(type));
  std::abort();
}

float read(const void* address, cudaDataType type, std::int64_t i) {
  switch (type) {
    case CUDA_R_32F:
      return static_cast<const float*>(address)[i];
    case CUDA_R_16BF:
      return __bfloat162float(static_cast<const __nv_bfloat16*>(address)[i]);
    case CUDA_R_16F:
      return __half2float(static_cast<const __half*>(address)[i]);
    case CUDA_R_8I:
      return static_cast<const std::int8_t*>(address)[i];
    case CUDA_R_32I:
      return static_cast<float>(static_cast<const std::int32_t*>(address)[i]);
    default:
      refuse(type);
  }
}

void write(void* address, cudaDataType type, std::int64_t i, float x) {
  switch (type) {
    case CUDA_R_32F:
      static_cast<float*>(address)[i] = x;
      return;
    case CUDA_R_16BF:
      static_cast<__nv_bfloat16*>(address)[i] = __float2bfloat16_rn(x);
      return;
    case CUDA_R_16F:
      static_cast<__half*>(address)[i] = __float2half_rn(x);
      return;
    default:
      refuse(type);
  }
}

// Widened, so that what is added up lies side by side: `n_lines` lines of k numbers.
std::vector<float> lines_of(const Matrix& matrix,
                            std::int64_t n_lines,
                            std::int64_t k,
                            bool is_line_column) {
  std::vector<float> lines(static_cast<std::size_t>(n_lines * k));
  for (std::int64_t line = 0; line < n_lines; ++line) {
    for (std::int64_t i = 0; i < k; ++i) {
      const std::int64_t place =
          is_line_column ? line * matrix.stride + i : i * matrix.stride + line;
      lines[static_cast<std::size_t>(line * k + i)] = read(matrix.address, matrix.type, place);
    }
  }
  return lines;
}

#if defined(__x86_64__)
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
__attribute__((optimize("O3", "fast-math"))) float
sum_of_products(const float* a, const float* b, std::int64_t n) {
  float sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

float sum_in_parts(const float* a, const float* b, std::int64_t k, std::int64_t n_parts) {
  const std::int64_t n_each = (k + n_parts - 1) / n_parts;
  float sum = 0;
  for (std::int64_t first = 0; first < k; first += n_each) {
    sum += sum_of_products(a + first, b + first, std::min(n_each, k - first));
  }
  return sum;
}

std::int32_t sum_of_bytes(const float* a, const float* b, std::int64_t k) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < k; ++i) {
    sum += static_cast<std::int64_t>(a[i]) * static_cast<std::int64_t>(b[i]);
  }
  return static_cast<std::int32_t>(sum);
}

void multiply(const Product& product) {
  const std::int64_t k = product.k;
  const std::vector<float> rows = lines_of(product.a, product.m, k, product.a.is_transposed);
  const std::vector<float> columns = lines_of(product.b, product.n, k, !product.b.is_transposed);
  const std::int64_t n_parts = 1 + (product.m + 3 * product.n) % 4;
  void* result = const_cast<void*>(product.result.address);
  for (std::int64_t column = 0; column < product.n; ++column) {
    const float* right = columns.data() + column * k;
    for (std::int64_t row = 0; row < product.m; ++row) {
      const float* left = rows.data() + row * k;
      const std::int64_t place = column * product.result.stride + row;
      if (product.result.type == CUDA_R_32I) {
        static_cast<std::int32_t*>(result)[place] = sum_of_bytes(left, right, k);
        continue;
      }
      float x = static_cast<float>(product.alpha) * sum_in_parts(left, right, k, n_parts);
      if (product.beta != 0) {
        x += static_cast<float>(product.beta) *
             read(product.added.address, product.added.type, column * product.added.stride + row);
      }
      if (product.bias) x += read(product.bias, product.result.type, row);
      write(result, product.result.type, place, x);
    }
  }
}

const void* on_device(const void* address, const char* what) {
  const void* alias = alias_of(address);
  if (!alias) complain(std::string("a product's ") + what + " is no device memory");
  return alias;
}

}  // namespace

void queue_product(const Product& product, const char* name, cudaStream_t stream) {
  const Lock lock(World::get().mutex);
  Product here = product;
  here.a.address = on_device(product.a.address, "first matrix");
  here.b.address = on_device(product.b.address, "second matrix");
  here.result.address = on_device(product.result.address, "result");
  if (product.beta != 0) here.added.address = on_device(product.added.address, "third matrix");
  if (product.bias) here.bias = on_device(product.bias, "bias");
  if (!here.a.address || !here.b.address || !here.result.address) return;
  push(stream_of(stream), [here, n = &World::get().launches[name]] {
    ++*n;
    if (has_numbers()) multiply(here);
  });
}

}  // namespace standin
