// A matrix product with fixed weights, in the layout that the device multiplies fastest. On the CPU
// a row's numbers do not depend on how many others are multiplied with it, nor on the number of
// threads, but for weights in 8 bits.
//   T  rows
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "weights/packed/packed_weight.h"
#include "weights/quantized/quantized_weight.h"

namespace labelprobe::model {

class PackedLinear;
class QuantizedLinear;

// Who multiplies by weights of a type that are not quantised: "oneDNN", "MKL", "cuBLAS" ...
std::string_view product_library(at::ScalarType type, c10::Device device);

class Linear {
 public:
  Linear() = default;
  // `weight` [out, in], `bias` [out]. On the CPU the weight is copied into blocks that oneDNN reads
  // in order, where this libtorch has it: a third faster for tens of rows, a tenth for hundreds.
  explicit Linear(at::Tensor weight, std::optional<at::Tensor> bias = {});
  // Quantised weights one below the other, each with its own blocks; computes in `type`.
  Linear(std::vector<weights::QuantizedWeight> weights,
         at::ScalarType type,
         std::optional<at::Tensor> bias = {});

  // Weights in the blocks of a GGUF file one below the other, on the CPU; results are of `type`.
  Linear(std::vector<weights::PackedWeight> weights,
         at::ScalarType type,
         const std::optional<at::Tensor>& bias = {});

  // x [T, in] times the weight, plus the bias: [T, out] of the type computed in, whatever x is.
  // That is the weight's, or float32 where this processor does not multiply the weight's.
  at::Tensor operator()(const at::Tensor& x) const;

  // The same for runs of rows `xs`, each [n, in], as a product of its own; their results follow one
  // another in [all of their rows, out].
  at::Tensor multiply_runs(std::span<const at::Tensor> xs) const;

  // sum [T, out], of any type, becomes sum + (*this)(x); the tensor itself may be another one.
  void add_to(at::Tensor& sum, const at::Tensor& x) const;
  // Whether that takes a product of its own, whose result is added.
  bool adds_afterwards() const { return quantized_ != nullptr || packed_ != nullptr; }

  // Rows [n] (int64, on the device) of one weight that bitsandbytes has not quantised, [n, in],
  // float32. oneDNN's blocks are put in order for it, which takes as much memory as the weight.
  at::Tensor rows(const at::Tensor& indices) const;

 private:
  std::shared_ptr<const QuantizedLinear> quantized_;  // instead of weight and bias
  std::shared_ptr<const PackedLinear> packed_;        // the same
  at::Tensor weight_;                                 // [out, in], or oneDNN's blocks of it
  std::optional<at::Tensor> bias_;
  at::ScalarType type_ = at::kFloat;
  bool is_reordered_ = false;
};

}  // namespace labelprobe::model
