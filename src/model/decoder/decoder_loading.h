// Takes a decoder's parameters out of a checkpoint, onto a device.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "labelprobe/model/language_model.h"

#include "model/products/linear.h"
#include "weights/checkpoint/checkpoint.h"
#include "weights/checkpoint/staging.h"
#include "weights/quantized/quantized_weight.h"

namespace labelprobe::model {

enum class Biases { None, Loaded };

// Besides the parameters that have been loaded it holds at most one tensor, and what is read ahead.
// Fastest where parameters are asked for in the order of parameters_of().
class ParameterLoader {
 public:
  // quantization: of the linear layers of the decoder blocks; None = as the checkpoint stores them
  ParameterLoader(weights::Checkpoint& checkpoint,
                  DType dtype,
                  c10::Device device,
                  Quantization quantization);

  // The parameter in the loader's dtype.
  at::Tensor tensor(const std::string& name, std::vector<std::int64_t> shape);

  // [width], float32 of the loader's dtype.
  at::Tensor norm(const std::string& name, std::int64_t width);

  // The layers `modules` ("model.layers.0.self_attn.q_proj"), [heights[i], width] each, one below
  // the other: one product instead of several. Quantised ones keep their own states.
  Linear linear(const std::vector<std::string>& modules,
                const std::vector<std::int64_t>& heights,
                std::int64_t width,
                Biases biases);

 private:
  std::optional<at::Tensor> bias(const std::vector<std::string>& modules,
                                 const std::vector<std::int64_t>& heights,
                                 Biases biases);
  weights::QuantizedWeight quantized(const std::string& name,
                                     std::int64_t height,
                                     std::int64_t width);
  at::Tensor buffer(std::vector<std::int64_t> shape, c10::Device device);

  weights::Checkpoint& checkpoint_;
  DType dtype_;
  Quantization quantization_;
  weights::Staging staging_;
  at::Tensor buffer_;
};

}  // namespace labelprobe::model
