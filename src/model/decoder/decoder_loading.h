// Takes a decoder's parameters out of a checkpoint, onto a device.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "labelprobe/model/language_model.h"

#include "model/parallel/share.h"
#include "model/products/experts.h"
#include "model/products/linear.h"
#include "weights/checkpoint/checkpoint.h"
#include "weights/checkpoint/staging.h"
#include "weights/families/parameters.h"
#include "weights/quantized/quantized_weight.h"

namespace labelprobe::model {

// Besides the parameters that have been loaded it holds at most one tensor, and what is read ahead.
// Fastest where parameters are asked for in the order of parameters_of(). Outside the blocks a
// module's layer does not count.
class ParameterLoader {
 public:
  // quantization: of the linear layers of the decoder blocks; None = as the checkpoint stores them,
  // but unpacked from GGUF
  //   share  the rows that are loaded; null = all
  ParameterLoader(weights::Checkpoint& checkpoint,
                  DType dtype,
                  c10::Device device,
                  Quantization quantization,
                  const Share* share = nullptr);

  // What is loaded from now on goes to this device.
  void go_to(c10::Device device);

  // The parameter in the loader's dtype.
  at::Tensor tensor(const weights::Parameter& parameter);

  // Whether the matrix stays as its file has it; and the matrix then.
  bool is_packed(const weights::Parameter& matrix) const;
  weights::PackedWeight packed(const weights::Parameter& matrix);

  // What a norm multiplies by: float32 of the loader's dtype. Undefined where the family has none.
  at::Tensor norm(weights::Role role, int layer = 0);

  // The linear layers of these roles one below the other: one product instead of several.
  // Quantised ones keep their own states. All of them have biases, or none.
  //   expert  whose they are, if they are an expert's
  Linear linear(const std::vector<weights::Role>& roles, int layer = 0, int expert = 0);

  // The experts of a layer, and their router.
  ExpertMlp experts(int layer);

 private:
  weights::Parameter weight_of(weights::Role role, int layer, int expert = 0) const;
  Quantization kept_as(const weights::Parameter& weight) const;
  weights::RowRanges rows_of(const weights::Parameter& parameter) const;
  std::vector<std::int64_t> shape_of(const weights::Parameter& parameter) const;
  bool is_quantized(const weights::Parameter& weight) const;
  bool is_adapted(const std::vector<weights::Parameter>& matrices) const;
  void load_plain(const weights::Parameter& weight, const at::Tensor& target);
  at::Tensor plain(const std::vector<weights::Parameter>& matrices);
  std::optional<at::Tensor> bias(const std::vector<weights::Role>& roles, int layer, int expert);
  weights::QuantizedWeight quantized(const weights::Parameter& weight);
  at::Tensor buffer(at::IntArrayRef shape, c10::Device device);

  weights::Checkpoint& checkpoint_;
  DType dtype_;
  Quantization quantization_;
  const Share* share_;
  std::optional<weights::Staging> staging_;
  at::Tensor buffer_;
};

}  // namespace labelprobe::model
