// The weight of a linear layer that is not trained, in full or in 4 or 8 bits. Gradients go through
// to what it is multiplied with; nothing of the product is kept for that but the weight itself.
#pragma once

#include <optional>

#include <ATen/core/Tensor.h>

#include "weights/quantized/quantized_weight.h"

namespace labelprobe::training {

class FrozenLinear {
 public:
  FrozenLinear() = default;
  // weight [out, in] and bias [out], which may be undefined, in the type of the products.
  FrozenLinear(at::Tensor weight, at::Tensor bias)
      : weight_(std::move(weight)), bias_(std::move(bias)) {}
  // 4 and 8 bits are restored in each product, forward and backward, as QLoRA (Dettmers et al.
  // 2023) has it. Int8 multiplies restored weights too: activations stay as they are, unlike in
  // LLM.int8's products.
  FrozenLinear(weights::QuantizedWeight weight, at::Tensor bias)
      : quantized_(std::move(weight)), bias_(std::move(bias)) {}

  // x [.., in] in the type of the products; returns [.., out].
  at::Tensor operator()(const at::Tensor& x) const;

  // [out, in] in this type, restored where it is quantised.
  at::Tensor weight(at::ScalarType type) const;

 private:
  at::Tensor weight_;
  std::optional<weights::QuantizedWeight> quantized_;
  at::Tensor bias_;
};

}  // namespace labelprobe::training
