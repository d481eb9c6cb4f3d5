// The functions of cuBLAS that libtorch calls for products of matrices. Declared here, since the
// headers of cuBLAS need not be there.
#include <cstdint>

#include "matrix_product.h"

namespace {

struct Handle {
  cudaStream_t stream = nullptr;
  int math_mode = 0;
  int pointer_mode = 0;
};

Handle* handle_of(void* handle) {
  return static_cast<Handle*>(handle);
}

constexpr int kSuccess = 0;

standin::Product product_of(int transposes_a, int transposes_b, int m, int n, int k) {
  standin::Product product;
  product.m = m;
  product.n = n;
  product.k = k;
  product.a.is_transposed = transposes_a != 0;
  product.b.is_transposed = transposes_b != 0;
  return product;
}

}  // namespace

extern "C" {

int cublasCreate_v2(void** handle) {
  *handle = new Handle;
  return kSuccess;
}

int cublasDestroy_v2(void* handle) {
  delete handle_of(handle);
  return kSuccess;
}

int cublasSetStream_v2(void* handle, cudaStream_t stream) {
  handle_of(handle)->stream = stream;
  return kSuccess;
}

int cublasSetWorkspace_v2(void*, void*, std::size_t) {
  return kSuccess;
}

int cublasGetMathMode(void* handle, int* mode) {
  *mode = handle_of(handle)->math_mode;
  return kSuccess;
}

int cublasSetMathMode(void* handle, int mode) {
  handle_of(handle)->math_mode = mode;
  return kSuccess;
}

int cublasGetPointerMode_v2(void* handle, int* mode) {
  *mode = handle_of(handle)->pointer_mode;
  return kSuccess;
}

int cublasSetPointerMode_v2(void* handle, int mode) {
  handle_of(handle)->pointer_mode = mode;
  return kSuccess;
}

int cublasGemmEx(void* handle,
                 int transposes_a,
                 int transposes_b,
                 int m,
                 int n,
                 int k,
                 const void* alpha,
                 const void* a,
                 cudaDataType a_type,
                 int a_stride,
                 const void* b,
                 cudaDataType b_type,
                 int b_stride,
                 const void* beta,
                 void* c,
                 cudaDataType c_type,
                 int c_stride,
                 int,
                 int) {
  standin::Product product = product_of(transposes_a, transposes_b, m, n, k);
  product.a = {a, a_type, a_stride, product.a.is_transposed};
  product.b = {b, b_type, b_stride, product.b.is_transposed};
  product.added = {c, c_type, c_stride};
  product.result = product.added;
  product.alpha = *static_cast<const float*>(alpha);
  product.beta = *static_cast<const float*>(beta);
  standin::queue_product(product, "cublasGemmEx", handle_of(handle)->stream);
  return kSuccess;
}

int cublasSgemm_v2(void* handle,
                   int transposes_a,
                   int transposes_b,
                   int m,
                   int n,
                   int k,
                   const float* alpha,
                   const float* a,
                   int a_stride,
                   const float* b,
                   int b_stride,
                   const float* beta,
                   float* c,
                   int c_stride) {
  return cublasGemmEx(handle, transposes_a, transposes_b, m, n, k, alpha, a, CUDA_R_32F, a_stride,
                      b, CUDA_R_32F, b_stride, beta, c, CUDA_R_32F, c_stride, 0, 0);
}

}  // extern "C"
