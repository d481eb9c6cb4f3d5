// Linear layers whose weights stay in the blocks of a GGUF file. Linear is the door; nothing else
// makes one.
#pragma once

#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "model/products/packed_product.h"
#include "weights/packed/packed_weight.h"

namespace labelprobe::model {

class PackedLinear {
 public:
  // `weights` one below the other, of one width, on the CPU; their types may differ. Results are of
  // `type`, or float32 where this processor does not multiply that; `bias` [out].
  PackedLinear(std::vector<weights::PackedWeight> weights,
               at::ScalarType type,
               const std::optional<at::Tensor>& bias);

  // x [T, in] of any floating type: [T, out].
  at::Tensor operator()(const at::Tensor& x) const;

  // sum [T, out], of any type, becomes sum + (*this)(x); in float32 without a result of its own.
  void add_to(at::Tensor& sum, const at::Tensor& x) const;

  // Rows [n] (int64) of the weights, [n, in], float32.
  at::Tensor rows(const at::Tensor& indices) const;

 private:
  void multiply(const at::Tensor& x, at::Tensor& result, Into into) const;

  std::vector<weights::PackedWeight> parts_;
  std::optional<at::Tensor> bias_;  // float32
  std::int64_t height_ = 0;
  at::ScalarType type_;
};

}  // namespace labelprobe::model
