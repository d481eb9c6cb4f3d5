// The functions of cuBLASLt that libtorch calls: products with a bias, and products of bytes.
#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

#include "matrix_product.h"
#include "world.h"

namespace {

constexpr int kSuccess = 0;
constexpr int kNotSupported = 15;

// Numbers of cublasLt.h.
constexpr int kTransposesA = 3;
constexpr int kTransposesB = 4;
constexpr int kEpilogue = 7;
constexpr int kBiasPointer = 8;
constexpr int kEpilogueNone = 1;
constexpr int kEpilogueBias = 4;

struct Description {
  int scale_type = 0;
  std::map<int, std::uint64_t> attributes;

  std::uint64_t get(int attribute, std::uint64_t otherwise) const {
    const auto found = attributes.find(attribute);
    return found == attributes.end() ? otherwise : found->second;
  }
};

struct Layout {
  cudaDataType type = CUDA_R_32F;
  std::uint64_t n_rows = 0;
  std::uint64_t n_columns = 0;
  std::int64_t stride = 0;
};

double scale_of(const void* value, int type) {
  if (type == CUDA_R_32I) return *static_cast<const std::int32_t*>(value);
  return *static_cast<const float*>(value);
}

standin::Matrix matrix_of(const void* address, const Layout& layout, bool is_transposed = false) {
  return {address, layout.type, layout.stride, is_transposed};
}

}  // namespace

extern "C" {

std::size_t cublasLtGetVersion() {
  return 130000;
}

int cublasLtMatmulDescCreate(void** result, int, int scale_type) {
  auto* description = new Description;
  description->scale_type = scale_type;
  *result = description;
  return kSuccess;
}

int cublasLtMatmulDescDestroy(void* description) {
  delete static_cast<Description*>(description);
  return kSuccess;
}

int cublasLtMatmulDescSetAttribute(void* description,
                                   int attribute,
                                   const void* value,
                                   std::size_t n) {
  std::uint64_t number = 0;
  std::memcpy(&number, value, n < sizeof number ? n : sizeof number);
  static_cast<Description*>(description)->attributes[attribute] = number;
  return kSuccess;
}

int cublasLtMatrixLayoutCreate(
    void** result, int type, std::uint64_t n_rows, std::uint64_t n_columns, std::int64_t stride) {
  *result = new Layout{static_cast<cudaDataType>(type), n_rows, n_columns, stride};
  return kSuccess;
}

int cublasLtMatrixLayoutDestroy(void* layout) {
  delete static_cast<Layout*>(layout);
  return kSuccess;
}

int cublasLtMatrixLayoutSetAttribute(void*, int, const void*, std::size_t) {
  return kNotSupported;
}

int cublasLtMatmulPreferenceCreate(void** preference) {
  *preference = new int(0);
  return kSuccess;
}

int cublasLtMatmulPreferenceDestroy(void* preference) {
  delete static_cast<int*>(preference);
  return kSuccess;
}

int cublasLtMatmulPreferenceSetAttribute(void*, int, const void*, std::size_t) {
  return kSuccess;
}

// One way of computing, which needs no memory of its own.
int cublasLtMatmulAlgoGetHeuristic(
    void*, void*, void*, void*, void*, void*, void*, int, void* result, int* n) {
  constexpr std::size_t kResultBytes = 96;
  std::memset(result, 0, kResultBytes);
  *n = 1;
  return kSuccess;
}

int cublasLtMatmul(void*,
                   void* description_handle,
                   const void* alpha,
                   const void* a,
                   void* a_layout,
                   const void* b,
                   void* b_layout,
                   const void* beta,
                   const void* c,
                   void* c_layout,
                   void* d,
                   void* d_layout,
                   const void*,
                   void*,
                   std::size_t,
                   cudaStream_t stream) {
  const auto& description = *static_cast<const Description*>(description_handle);
  const auto& left = *static_cast<const Layout*>(a_layout);
  const auto& right = *static_cast<const Layout*>(b_layout);
  const auto& result = *static_cast<const Layout*>(d_layout);
  const std::uint64_t epilogue = description.get(kEpilogue, kEpilogueNone);
  if (epilogue != kEpilogueNone && epilogue != kEpilogueBias) return kNotSupported;
  // The real one takes rows of bytes that begin at multiples of 4 only.
  if (result.type == CUDA_R_32I && (left.stride % 4 != 0 || right.stride % 4 != 0))
    return kNotSupported;
  standin::Product product;
  const bool transposes_a = description.get(kTransposesA, 0) != 0;
  const bool transposes_b = description.get(kTransposesB, 0) != 0;
  product.m = static_cast<std::int64_t>(result.n_rows);
  product.n = static_cast<std::int64_t>(result.n_columns);
  product.k = static_cast<std::int64_t>(transposes_a ? left.n_rows : left.n_columns);
  product.a = matrix_of(a, left, transposes_a);
  product.b = matrix_of(b, right, transposes_b);
  product.added = matrix_of(c, *static_cast<const Layout*>(c_layout));
  product.result = matrix_of(d, result);
  product.alpha = scale_of(alpha, description.scale_type);
  product.beta = scale_of(beta, description.scale_type);
  if (epilogue == kEpilogueBias) {
    product.bias = reinterpret_cast<const void*>(description.get(kBiasPointer, 0));
  }
  standin::queue_product(product, "cublasLtMatmul", stream);
  return kSuccess;
}

}  // extern "C"
