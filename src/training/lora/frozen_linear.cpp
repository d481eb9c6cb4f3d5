#include "training/lora/frozen_linear.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

namespace labelprobe::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// x times a weight that is restored when it is needed.
struct QuantizedProduct : torch::autograd::Function<QuantizedProduct> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, std::int64_t linear) {
    context->saved_data["linear"] = linear;
    return at::matmul(x,
                      reinterpret_cast<const FrozenLinear*>(linear)->weight(x.scalar_type()).t());
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto* linear =
        reinterpret_cast<const FrozenLinear*>(context->saved_data["linear"].toInt());
    return {at::matmul(gradients[0], linear->weight(gradients[0].scalar_type())), at::Tensor()};
  }
};

}  // namespace

at::Tensor FrozenLinear::operator()(const at::Tensor& x) const {
  if (!quantized_) return at::linear(x, weight_, bias_);
  const at::Tensor product = QuantizedProduct::apply(x, reinterpret_cast<std::int64_t>(this));
  return bias_.defined() ? product + bias_ : product;
}

at::Tensor FrozenLinear::weight(at::ScalarType type) const {
  if (!quantized_) return weight_.to(type);
  at::Tensor restored =
      at::empty({quantized_->height, quantized_->width}, quantized_->codes.options().dtype(type));
  weights::dequantize(*quantized_, restored);
  return restored;
}

}  // namespace labelprobe::training
