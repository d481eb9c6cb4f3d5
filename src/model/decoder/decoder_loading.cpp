// A decoder's parameters from a checkpoint onto its device: in the order in which the checkpoint
// reads ahead, each by way of as little memory as can be.
#include "model/decoder/decoder_loading.h"

#include <numeric>
#include <string>
#include <utility>

#include <ATen/Functions.h>

#include "labelprobe/core/error.h"

#include "model/decoder/decoder.h"
#include "weights/device/dtype.h"

namespace labelprobe::model {
ParameterLoader::ParameterLoader(weights::Checkpoint& checkpoint,
                                 DType dtype,
                                 c10::Device device,
                                 Quantization quantization)
    : checkpoint_(checkpoint), dtype_(dtype), quantization_(quantization), staging_(device) {
  checkpoint.start_reading();
}

at::Tensor ParameterLoader::tensor(const std::string& name, std::vector<std::int64_t> shape) {
  const at::Tensor result = at::empty(
      shape, at::TensorOptions().dtype(weights::scalar_type(dtype_)).device(staging_.device()));
  checkpoint_.load_into(name, result, staging_);
  return result;
}

at::Tensor ParameterLoader::norm(const std::string& name, std::int64_t width) {
  return tensor(name, {width}).to(at::kFloat);
}

Linear ParameterLoader::linear(const std::vector<std::string>& modules,
                               const std::vector<std::int64_t>& heights,
                               std::int64_t width,
                               Biases biases) {
  const std::int64_t height = std::accumulate(heights.begin(), heights.end(), std::int64_t{0});
  const auto is_quantized = [&](const std::string& module) {
    return checkpoint_.quantization_of(module + ".weight", quantization_) != Quantization::None;
  };
  for (const std::string& module : modules) {
    if (is_quantized(module) != is_quantized(modules.front())) {
      throw ModelError("tensors " + modules.front() + ".weight and " + module +
                       ".weight: expected both quantised or neither, as they are computed "
                       "together; found one of them left out of the quantisation");
    }
  }
  if (is_quantized(modules.front())) {
    std::vector<weights::QuantizedWeight> weights;
    for (std::size_t i = 0; i < modules.size(); ++i) {
      weights.push_back(quantized(modules[i] + ".weight", heights[i], width));
    }
    return Linear(std::move(weights), weights::scalar_type(dtype_), bias(modules, heights, biases));
  }
  const at::Tensor weight = buffer({height, width}, staging_.device());
  std::int64_t row = 0;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    checkpoint_.load_into(modules[i] + ".weight", weight.narrow(0, row, heights[i]), staging_);
    row += heights[i];
  }
  return Linear(weight, bias(modules, heights, biases));
}

std::optional<at::Tensor> ParameterLoader::bias(const std::vector<std::string>& modules,
                                                const std::vector<std::int64_t>& heights,
                                                Biases biases) {
  if (biases == Biases::None) return std::nullopt;
  std::vector<at::Tensor> parts;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    parts.push_back(tensor(modules[i] + ".bias", {heights[i]}));
  }
  return at::cat(parts);
}

weights::QuantizedWeight ParameterLoader::quantized(const std::string& name,
                                                    std::int64_t height,
                                                    std::int64_t width) {
  if (checkpoint_.quantization_of(name) != Quantization::None) {
    return checkpoint_.load_quantized(name, std::vector{height, width}, staging_);
  }
  // Converted on the CPU, where the codes are made too.
  weights::Staging in_place(at::kCPU);
  const at::Tensor weight = buffer({height, width}, at::kCPU);
  checkpoint_.load_into(name, weight, in_place);
  return weights::to_device(weights::quantize(weight, quantization_), staging_);
}

// Memory that has just been let go is taken again: getting it from the system anew costs as much
// time as the conversion.
at::Tensor ParameterLoader::buffer(std::vector<std::int64_t> shape, c10::Device device) {
  const auto options = at::TensorOptions().dtype(weights::scalar_type(dtype_)).device(device);
  const std::int64_t n =
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  // Whoever was given the buffer may have kept it.
  const bool is_free = buffer_.defined() && buffer_.storage().use_count() == 1;
  if (!buffer_.defined() || buffer_.device() != device) {
    buffer_ = at::empty({n}, options);
  } else if (!is_free) {
    return at::empty(shape, options);
  } else if (buffer_.numel() < n) {
    buffer_ = at::Tensor();
    buffer_ = at::empty({n}, options);
  }
  return buffer_.narrow(0, 0, n).view(shape);
}

Decoder::Decoder(weights::Checkpoint& checkpoint,
                 DType dtype,
                 c10::Device device,
                 Quantization quantization)
    : config_(checkpoint.config()), dtype_(dtype), device_(device) {
  const std::int64_t n_vocab = config_.vocab_size;
  const std::int64_t n_hidden = config_.hidden_size;
  ParameterLoader loader(checkpoint, dtype, device, quantization);
  embedding_ = loader.tensor("model.embed_tokens.weight", {n_vocab, n_hidden});
  for (int layer = 0; layer < config_.n_layers; ++layer) {
    layers_.push_back(load_layer(loader, layer));
  }
  norm_ = loader.norm("model.norm.weight", n_hidden);
  head_ = config_.tie_word_embeddings
              ? Linear(embedding_)
              : loader.linear({"lm_head"}, {n_vocab}, n_hidden, Biases::None);
  checkpoint.check_all_loaded();

  // float32 throughout, as in transformers: the product's rounding matters at long positions.
  const std::vector<float> frequencies = weights::rope_frequencies(config_);
  const at::Tensor positions = at::arange(config_.max_position_embeddings, at::kFloat);
  const at::Tensor angles = at::outer(positions, at::tensor(frequencies));
  cosines_ = angles.cos().to(device);
  sines_ = angles.sin().to(device);
}

Decoder::Layer Decoder::load_layer(ParameterLoader& loader, int layer) const {
  const std::string name = "model.layers." + std::to_string(layer) + ".";
  const std::int64_t n_hidden = config_.hidden_size;
  const std::int64_t n_inner = config_.intermediate_size;
  const std::int64_t q_height = std::int64_t{config_.n_heads} * config_.head_dim;
  const std::int64_t kv_height = std::int64_t{config_.n_kv_heads} * config_.head_dim;
  const std::string attention = name + "self_attn.";
  const std::string mlp = name + "mlp.";
  const auto biases = [](bool has_biases) { return has_biases ? Biases::Loaded : Biases::None; };
  return {loader.norm(name + "input_layernorm.weight", n_hidden),
          loader.linear({attention + "q_proj", attention + "k_proj", attention + "v_proj"},
                        {q_height, kv_height, kv_height}, n_hidden, biases(config_.qkv_bias)),
          loader.linear({attention + "o_proj"}, {n_hidden}, q_height, biases(config_.o_bias)),
          loader.norm(name + "post_attention_layernorm.weight", n_hidden),
          loader.linear({mlp + "gate_proj", mlp + "up_proj"}, {n_inner, n_inner}, n_hidden,
                        biases(config_.mlp_bias)),
          loader.linear({mlp + "down_proj"}, {n_hidden}, n_inner, biases(config_.mlp_bias))};
}

}  // namespace labelprobe::model
