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

at::Tensor strided_randn(std::int64_t rows, std::int64_t heads, std::int64_t dim) {
  return at::randn({rows, heads + 3, dim}).narrow(1, 1, heads);
}

}  // namespace labelprobe::support
