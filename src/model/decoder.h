// The layers of a LlamaForCausalLM or Qwen2ForCausalLM: weights and the arithmetic between
// attentions. Where keys and values are kept and who attends to what is the business of the
// Attention it is given.
//   T  rows (tokens of any sequences, packed)   C  hidden size   H  query heads   K  key heads
//   D  head size   F  intermediate size   V  vocabulary
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "labelprobe/model/language_model.h"

#include "checkpoint.h"
#include "linear.h"

namespace labelprobe::model {

// What one layer's queries see. The tensors are views of a buffer the caller does not reuse.
class Attention {
 public:
  virtual ~Attention() = default;
  // Queries [T, K, H/K, D], keys and values [T, K, D], rotated; returns [T, H * D] in their type.
  virtual at::Tensor attend(int layer,
                            const at::Tensor& queries,
                            const at::Tensor& keys,
                            const at::Tensor& values) = 0;
};

// What a decoder computes in between its matrix products. On the CPU bfloat16 is for those only:
// there the other steps are faster in float32, and nearer to it.
c10::ScalarType activation_type(DType dtype, c10::Device device);

class Decoder {
 public:
  // Loads every parameter of the checkpoint onto the device.
  Decoder(Checkpoint& checkpoint, DType dtype, c10::Device device);

  const DecoderConfig& config() const { return config_; }
  c10::Device device() const { return device_; }
  // Of everything but the weights: hidden states, keys, values.
  c10::ScalarType scalar_type() const { return activation_type(dtype_, device_); }

  // Hidden states [n, C] before the final norm of tokens [T] at positions [T] (int64, on the
  // device): of the rows `kept` [n], which are all that the last layer finishes; of all rows if it
  // is undefined.
  at::Tensor forward(const at::Tensor& tokens,
                     const at::Tensor& positions,
                     Attention& attention,
                     const at::Tensor& kept = {}) const;

  // Logits [n, V], float32, of rows of forward()'s result.
  at::Tensor logits(const at::Tensor& hidden) const;

 private:
  struct Layer {
    at::Tensor input_layernorm;           // [C], float32
    Linear qkv_proj;                      // q, k and v one below the other
    Linear o_proj;                        // [C, H * D]
    at::Tensor post_attention_layernorm;  // [C], float32
    Linear gate_up_proj;                  // gate over up
    Linear down_proj;                     // [C, F]
  };

  at::Tensor on_device(const at::Tensor& tensor) const;
  Linear load_linear(Checkpoint& checkpoint,
                     const std::vector<std::string>& names,
                     const std::vector<std::int64_t>& heights,
                     std::int64_t width,
                     bool has_bias);
  at::Tensor load_norm(Checkpoint& checkpoint, const std::string& name);
  Layer load_layer(Checkpoint& checkpoint, int layer);

  DecoderConfig config_;
  DType dtype_;
  c10::Device device_;
  at::Tensor embedding_;  // [V, C]
  std::vector<Layer> layers_;
  at::Tensor norm_;     // [C], float32
  Linear head_;         // [V, C]; the embedding where they are tied
  at::Tensor cosines_;  // [positions, D/2], float32
  at::Tensor sines_;
};

}  // namespace labelprobe::model
