#include "model/products/linear.h"

#include <exception>
#include <string_view>
#include <utility>

#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include "model/products/add_rows.h"
#include "model/products/quantized_linear.h"

namespace labelprobe::model {
namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;
using Pack = at::Tensor(const at::Tensor&, std::optional<std::int64_t>);
using Multiply = at::Tensor(const at::Tensor&,
                            const at::Tensor&,
                            const std::optional<at::Tensor>&,
                            std::string_view,
                            Scalars,
                            std::optional<std::string_view>);
using MultiplyAdd = at::Tensor(const at::Tensor&,
                               const at::Tensor&,
                               const at::Tensor&,
                               const std::optional<at::Tensor>&,
                               std::string_view);

// The operators behind torch.compile's linear layers. They have no C++ declaration, only names.
struct OneDnn {
  c10::TypedOperatorHandle<Pack> pack;
  c10::TypedOperatorHandle<Multiply> multiply;
  c10::TypedOperatorHandle<MultiplyAdd> multiply_add;
};

std::optional<OneDnn> find_onednn() {
  if (!at::globalContext().hasMKLDNN()) return {};
  auto& operators = c10::Dispatcher::singleton();
  const auto pack = operators.findSchema({"mkldnn::_reorder_linear_weight", ""});
  const auto multiply = operators.findSchema({"mkldnn::_linear_pointwise", ""});
  const auto multiply_add = operators.findSchema({"mkldnn::_linear_pointwise", "binary"});
  if (!pack || !multiply || !multiply_add) return {};
  try {
    return OneDnn{pack->typed<Pack>(), multiply->typed<Multiply>(),
                  multiply_add->typed<MultiplyAdd>()};
  } catch (const c10::Error&) {
    return {};  // other arguments in this libtorch
  }
}

const std::optional<OneDnn>& onednn() {
  static const std::optional<OneDnn> found = find_onednn();
  return found;
}

// oneDNN refuses bfloat16 where the processor has no AVX-512.
bool multiplies(const OneDnn& library, at::ScalarType type) {
  try {
    const at::Tensor ones = at::ones({16, 16}, type);
    library.multiply.call(ones, library.pack.call(ones, std::nullopt), {}, "none", Scalars(), "");
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

// oneDNN multiplies float16 on few processors only.
bool can_pack(at::ScalarType type, c10::Device device) {
  if (!device.is_cpu() || !onednn()) return false;
  static const bool has_float = multiplies(*onednn(), at::kFloat);
  static const bool has_bfloat16 = multiplies(*onednn(), at::kBFloat16);
  return (type == at::kFloat && has_float) || (type == at::kBFloat16 && has_bfloat16);
}

bool can_pack(const at::Tensor& weight) {
  return can_pack(weight.scalar_type(), weight.device());
}

}  // namespace

at::Tensor multiply(const at::Tensor& x,
                    const at::Tensor& weight,
                    const std::optional<at::Tensor>& bias) {
  if (!can_pack(weight)) return at::linear(x, weight, bias);
  return onednn()->multiply.call(x.contiguous(), weight, bias, "none", Scalars(), "");
}

std::string_view product_library(at::ScalarType type, c10::Device device) {
  if (can_pack(type, device)) return "oneDNN";
  if (device.is_cpu()) return type == at::kFloat && at::hasMKL() ? "MKL" : "libtorch";
  const bool is_lt = at::globalContext().blasPreferredBackend() == at::BlasBackend::Cublaslt;
  return is_lt ? "cuBLASLt" : "cuBLAS";
}

Linear::Linear(at::Tensor weight, std::optional<at::Tensor> bias)
    : weight_(std::move(weight)),
      bias_(std::move(bias)),
      type_(weight_.scalar_type()),
      is_packed_(can_pack(weight_)) {
  if (is_packed_) weight_ = onednn()->pack.call(weight_, std::nullopt);
}

Linear::Linear(std::vector<weights::QuantizedWeight> weights,
               at::ScalarType type,
               std::optional<at::Tensor> bias)
    : quantized_(std::make_shared<QuantizedLinear>(std::move(weights), type, std::move(bias))),
      type_(type) {}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  if (quantized_) return (*quantized_)(x);
  if (!is_packed_) return at::linear(x.to(type_), weight_, bias_);
  return onednn()->multiply.call(x.to(type_).contiguous(), weight_, bias_, "none", Scalars(), "");
}

void Linear::add_to(at::Tensor& sum, const at::Tensor& x) const {
  if (quantized_ || sum.scalar_type() != type_) {
    add_rows(sum, (*this)(x));
  } else if (is_packed_) {
    sum = onednn()->multiply_add.call(x.contiguous(), sum, weight_, bias_, "add");
  } else {
    sum.addmm_(x, weight_.t());
    if (bias_) sum.add_(*bias_);
  }
}

}  // namespace labelprobe::model
