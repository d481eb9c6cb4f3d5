// A decoder's parameters from a checkpoint onto its device.
#include <numeric>
#include <optional>
#include <string>

#include <ATen/Functions.h>

#include "decoder.h"
#include "dtype.h"

namespace labelprobe::model {

Decoder::Decoder(Checkpoint& checkpoint, DType dtype, c10::Device device)
    : config_(checkpoint.config()), dtype_(dtype), device_(device) {
  const std::int64_t n_vocab = config_.vocab_size;
  const std::int64_t n_hidden = config_.hidden_size;
  embedding_ = on_device(
      checkpoint.load("model.embed_tokens.weight", std::vector{n_vocab, n_hidden}, dtype));
  for (int layer = 0; layer < config_.n_layers; ++layer) {
    layers_.push_back(load_layer(checkpoint, layer));
  }
  norm_ = load_norm(checkpoint, "model.norm.weight");
  head_ = Linear(
      config_.tie_word_embeddings
          ? embedding_
          : on_device(checkpoint.load("lm_head.weight", std::vector{n_vocab, n_hidden}, dtype)));
  checkpoint.check_all_loaded();

  // float32 throughout, as in transformers: the product's rounding matters at long positions.
  const std::vector<float> frequencies = rope_frequencies(config_);
  const at::Tensor positions = at::arange(config_.max_position_embeddings, at::kFloat);
  const at::Tensor angles = at::outer(positions, at::tensor(frequencies));
  cosines_ = angles.cos().to(device);
  sines_ = angles.sin().to(device);
}

at::Tensor Decoder::on_device(const at::Tensor& tensor) const {
  return tensor.to(device_);
}

at::Tensor Decoder::load_norm(Checkpoint& checkpoint, const std::string& name) {
  const std::int64_t n_hidden = config_.hidden_size;
  return on_device(checkpoint.load(name, std::vector{n_hidden}, dtype_)).to(at::kFloat);
}

// The parameters `names`, one below the other: one product instead of several.
Linear Decoder::load_linear(Checkpoint& checkpoint,
                            const std::vector<std::string>& names,
                            const std::vector<std::int64_t>& heights,
                            std::int64_t width,
                            bool has_bias) {
  const std::int64_t height = std::accumulate(heights.begin(), heights.end(), std::int64_t{0});
  const auto options = at::TensorOptions().dtype(model::scalar_type(dtype_)).device(device_);
  const at::Tensor weight = at::empty({height, width}, options);
  std::optional<at::Tensor> bias;
  if (has_bias) bias = at::empty({height}, options);
  std::int64_t row = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    weight.narrow(0, row, heights[i])
        .copy_(checkpoint.load(names[i] + ".weight", std::vector{heights[i], width}, dtype_));
    if (has_bias) {
      bias->narrow(0, row, heights[i])
          .copy_(checkpoint.load(names[i] + ".bias", std::vector{heights[i]}, dtype_));
    }
    row += heights[i];
  }
  return Linear(weight, bias);
}

Decoder::Layer Decoder::load_layer(Checkpoint& checkpoint, int layer) {
  const std::string name = "model.layers." + std::to_string(layer) + ".";
  const std::int64_t n_hidden = config_.hidden_size;
  const std::int64_t n_inner = config_.intermediate_size;
  const std::int64_t q_height = std::int64_t{config_.n_heads} * config_.head_dim;
  const std::int64_t kv_height = std::int64_t{config_.n_kv_heads} * config_.head_dim;
  const std::string attention = name + "self_attn.";
  const std::string mlp = name + "mlp.";
  return {
      load_norm(checkpoint, name + "input_layernorm.weight"),
      load_linear(checkpoint, {attention + "q_proj", attention + "k_proj", attention + "v_proj"},
                  {q_height, kv_height, kv_height}, n_hidden, config_.qkv_bias),
      load_linear(checkpoint, {attention + "o_proj"}, {n_hidden}, q_height, config_.o_bias),
      load_norm(checkpoint, name + "post_attention_layernorm.weight"),
      load_linear(checkpoint, {mlp + "gate_proj", mlp + "up_proj"}, {n_inner, n_inner}, n_hidden,
                  config_.mlp_bias),
      load_linear(checkpoint, {mlp + "down_proj"}, {n_hidden}, n_inner, config_.mlp_bias)};
}

}  // namespace labelprobe::model
