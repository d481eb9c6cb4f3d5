#include "model/engine/backend.h"

#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/Version.h>
#include <fmt/format.h>
#include <torch/version.h>

#include "model/attention/segment_attention.h"
#include "model/decoder/decoder.h"
#include "model/products/fixed_rows.h"
#include "model/products/linear.h"
#include "model/products/packed_product.h"
#include "model/products/quantized_linear.h"
#include "weights/device/device.h"
#include "weights/device/dtype.h"
#include "weights/device/processor.h"

namespace labelprobe::model {
namespace {

std::string products(DType dtype,
                     Quantization quantization,
                     const weights::DecoderConfig& config,
                     c10::Device device) {
  const at::ScalarType type = weights::scalar_type(dtype);
  if (quantization == Quantization::Gguf) {
    return fmt::format("own code for {} from the file's blocks, activations in 24 bits",
                       packed_code());
  }
  const std::string plain =
      fmt::format("{} {}", product_library(type, device), weights::dtype_name(dtype));
  std::string text = plain;
  if (quantization == Quantization::Int8) {
    text = fmt::format("{} int8, outliers in {}; head: {}", int8_library(device),
                       weights::dtype_name(dtype), plain);
  } else if (quantization != Quantization::None) {
    const int n_few = n_few_rows(type, device);
    text = fmt::format(
        "{}{}; head: {}",
        device.is_cpu() ? "own code from 4 bits" : "from 4 bits a matrix at a time, " + plain,
        n_few > 0 ? fmt::format(", those of up to {} rows at once", n_few) : "", plain);
  }
  if (!device.is_cuda()) return text;
  const bool has_bias = config.qkv_bias || config.o_bias || config.mlp_bias;
  return fmt::format("{}{}, TF32 {}", text, has_bias ? ", with biases cuBLASLt" : "",
                     at::globalContext().allowTF32CuBLAS() ? "on" : "off");
}

// Norms, rotations, activations.
std::string other_steps(c10::Device device) {
  if (device.is_cuda()) return weights::why_no_kernels().empty() ? "own kernels" : "libtorch";
  return fmt::format("own code for {}", weights::processor_generation());
}

}  // namespace

std::string describe_libtorch() {
  return fmt::format("libtorch {}.{}.{}", TORCH_VERSION_MAJOR, TORCH_VERSION_MINOR,
                     TORCH_VERSION_PATCH);
}

std::string describe_backend(const weights::DecoderConfig& config,
                             DType dtype,
                             Quantization quantization,
                             c10::Device device,
                             bool is_fast) {
  const at::ScalarType activations = activation_type(dtype, device);
  const auto name =
      activations == weights::scalar_type(dtype) ? weights::dtype_name(dtype) : "float32";
  const at::Tensor queries =
      at::empty({0, config.n_kv_heads, config.n_heads / config.n_kv_heads, config.head_dim},
                at::TensorOptions().dtype(activations).device(device));
  const std::string text = fmt::format(
      "{}{}; products: {}{}; attention: {}, {}; other steps: {}", describe_libtorch(),
      device.is_cpu() ? " with " + at::get_cpu_capability() : "",
      products(dtype, quantization, config, device),
      device.is_cuda() && !is_fast ? fmt::format(", {} rows at a time", kFixedRows) : "",
      attention_code(queries, is_fast), name, other_steps(device));
  const bool lacks_kernels = device.is_cuda() && !weights::why_no_kernels().empty();
  return lacks_kernels ? text + "; no own kernels: " + weights::why_no_kernels() : text;
}

}  // namespace labelprobe::model
