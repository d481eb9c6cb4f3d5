#include "model/products/packed_linear.h"

#include <utility>

#include <ATen/Functions.h>

#include "labelprobe/core/error.h"

#include "model/products/add_rows.h"
#include "model/products/dot_products.h"
#include "model/products/vector_code.h"

namespace labelprobe::model {

PackedLinear::PackedLinear(std::vector<weights::PackedWeight> weights,
                           at::ScalarType type,
                           const std::optional<at::Tensor>& bias)
    : parts_(std::move(weights)), type_(dot_type(type)) {
  LABELPROBE_CHECK(!parts_.empty());
  for (const weights::PackedWeight& part : parts_) {
    LABELPROBE_CHECK(part.width == parts_.front().width && part.blocks.is_cpu());
    height_ += part.height;
  }
  if (bias) bias_ = bias->to(at::kFloat).contiguous();
}

at::Tensor PackedLinear::operator()(const at::Tensor& x) const {
  at::Tensor result = at::empty({x.size(0), height_}, x.options().dtype(at::kFloat));
  multiply(x, result, Into::Result);
  return result.to(type_);
}

void PackedLinear::add_to(at::Tensor& sum, const at::Tensor& x) const {
  if (is_plain(sum, at::kFloat)) return multiply(x, sum, Into::Sum);
  add_rows(sum, (*this)(x));
}

void PackedLinear::multiply(const at::Tensor& x, at::Tensor& result, Into into) const {
  const RoundedRows rounded(x);
  std::int64_t first = 0;
  for (const weights::PackedWeight& part : parts_) {
    at::Tensor columns = result.narrow(1, first, part.height);
    const auto bias = bias_ ? std::optional(bias_->narrow(0, first, part.height)) : std::nullopt;
    multiply_packed(rounded, part, bias, columns, into);
    first += part.height;
  }
}

at::Tensor PackedLinear::rows(const at::Tensor& indices) const {
  LABELPROBE_CHECK(parts_.size() == 1);
  return weights::packed_rows(parts_.front(), indices);
}

}  // namespace labelprobe::model
