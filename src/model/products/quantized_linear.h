// Products with quantised weights, which stay packed: on the CPU a tile at a time is dequantised
// into memory that the processor's cache holds, elsewhere a matrix at a time.
// Linear is the door; nothing else makes one.
//   T  rows
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "weights/quantized/quantized_weight.h"

namespace labelprobe::model {

// How many rows at most are multiplied straight from codes in 4 bits, by code of ours, in `type`.
int n_few_rows(at::ScalarType type, c10::Device device);

// Who multiplies codes in 8 bits: "oneDNN", "cuBLASLt" ...
std::string_view int8_library(c10::Device device);

class QuantizedLinear {
 public:
  // `weights` one below the other, of one width and device; computes in `type`; `bias` [out].
  QuantizedLinear(std::vector<weights::QuantizedWeight> weights,
                  at::ScalarType type,
                  std::optional<at::Tensor> bias);

  // x [T, in] of any floating type: [T, out] of the type computed in, `type` or, on the CPU, its
  // dot_type().
  at::Tensor operator()(const at::Tensor& x) const;

  // As Linear::multiply_runs(). On a GPU a weight in 4 bits is unpacked once for all of them.
  at::Tensor multiply_runs(std::span<const at::Tensor> xs) const;

 private:
  std::optional<at::Tensor> bias_of(std::int64_t first, std::int64_t height) const;

  // Joined where no block would hold rows of two: fewer, larger products.
  std::vector<weights::QuantizedWeight> parts_;
  std::optional<at::Tensor> bias_;
  std::int64_t height_ = 0;
  at::ScalarType type_;
};

}  // namespace labelprobe::model
