#include "support/tensors.h"

#include <stdexcept>

namespace labelprobe::support {
namespace {

at::Tensor exact(const at::Tensor& tensor) {
  return tensor.to(at::kDouble).cpu();
}

at::Tensor difference_of(const at::Tensor& found, const at::Tensor& expected) {
  if (found.sizes() != expected.sizes()) throw std::logic_error("tensors of unequal shapes");
  return exact(found) - exact(expected);
}

}  // namespace

double largest_difference(const at::Tensor& found, const at::Tensor& expected) {
  return difference_of(found, expected).abs().max().item<double>();
}

double largest_share(const at::Tensor& found, const at::Tensor& expected) {
  return largest_difference(found, expected) / exact(expected).abs().max().item<double>();
}

double distance(const at::Tensor& found, const at::Tensor& expected) {
  return difference_of(found, expected).norm().item<double>() /
         (exact(expected).norm().item<double>() + 1e-30);
}

}  // namespace labelprobe::support
