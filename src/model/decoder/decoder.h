// The layers of a decoder (weights/families/family.h): weights and the arithmetic between
// attentions. Where keys and values are kept and who attends to what is the business of the
// Attention it is given.
//   T  rows (tokens of any sequences, packed)   C  hidden size   H  query heads   K  key heads
//   D  head size   F  intermediate size   V  vocabulary
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "labelprobe/model/language_model.h"

#include "model/attention/attention_form.h"
#include "model/decoder/placement.h"
#include "model/decoder/rotations.h"
#include "model/parallel/share.h"
#include "model/parallel/team.h"
#include "model/products/experts.h"
#include "model/products/linear.h"
#include "weights/checkpoint/checkpoint.h"

namespace labelprobe::model {

class ParameterLoader;
class Parcel;

// What one layer's queries see. The tensors are views of a buffer the caller does not reuse.
class Attention {
 public:
  virtual ~Attention() = default;
  // Before attend(): rotates the queries and keys among heads [T, H + 2 K, D], in place, by cosines
  // and sines of rotate_heads(); not at all if they are undefined. One that puts keys and values
  // into the arena on the way may leave the keys as they are.
  virtual void rotate(int layer,
                      const at::Tensor& heads,
                      std::int64_t n_queries,
                      std::int64_t n_keys,
                      const at::Tensor& cosines,
                      const at::Tensor& sines);
  // Queries [T, K, H/K, D], keys and values [T, K, D], rotated; returns [T, H * D] in their type.
  virtual at::Tensor attend(int layer,
                            const at::Tensor& queries,
                            const at::Tensor& keys,
                            const at::Tensor& values) = 0;
};

// Somebody who looks inside a pass.
class LayerWatcher {
 public:
  virtual ~LayerWatcher() = default;
  // What attention has made of queries [T, K, H/K, D] over keys and values [N, K, D] of a layer:
  // attended [T, H * D], which may be changed.
  virtual void attend(int layer,
                      const at::Tensor& queries,
                      const at::Tensor& keys,
                      const at::Tensor& values,
                      at::Tensor& attended) = 0;
  // What the layers have added up so far, x [T or more, C]: stage 0 is the embedding, 2 l + 1 comes
  // after the attention of layer l (from 0 on), 2 l + 2 after its MLP.
  virtual void see(int stage, const at::Tensor& x) = 0;
};

// The type of queries, keys, values and all that goes into a matrix product. What the layers add to
// stays float32 on the CPU, as does everything there whose type the processor does not multiply:
// float16, and bfloat16 on many.
c10::ScalarType activation_type(DType dtype, c10::Device device);

class Decoder {
 public:
  // Loads every parameter of the checkpoint onto its device. `quantization` is that of the linear
  // layers of the decoder blocks; None = as the checkpoint stores them. is_fast: on a GPU, products
  // and attention in the way that suits the rows at hand; their last bits then depend on how many
  // there are. team: the processes that compute the model together, each its share; null = this one
  // alone. Then all of them are to call forward(), logits() and head_rows() together.
  Decoder(weights::Checkpoint& checkpoint,
          DType dtype,
          Placement placement,
          Quantization quantization = Quantization::None,
          bool is_fast = false,
          Team* team = nullptr);

  // With the heads that this process has.
  const weights::DecoderConfig& config() const { return config_; }
  // The configuration of the model that all processes have together.
  const weights::DecoderConfig& whole_config() const { return whole_; }
  Team* team() const { return team_; }
  // What the processes call this model.
  void set_number(std::int64_t number) { number_ = number; }
  std::int64_t number() const { return number_; }
  // Where tokens and positions are given, and hidden states come back.
  c10::Device device() const { return device_; }
  const Placement& placement() const { return placement_; }
  bool is_fast() const { return is_fast_; }
  // Which texts forward() is given from now on: all of one kind (weights/families/rope.h).
  void turn_for(weights::TextLength length) { rotations_.turn_for(length); }
  weights::TextLength text_length() const { return rotations_.text_length(); }
  // How a layer attends.
  const AttentionForm& attention_form(int layer) const { return attention_forms_[layer]; }
  // The type of keys and values.
  c10::ScalarType scalar_type() const { return activation_type(dtype_, device_); }

  // Hidden states [n, C] before the final norm of tokens [T] at positions [T] (int64, on the
  // device): of the rows `kept` [n], which are all that the last layer finishes; of all rows if it
  // is undefined, as it has to be for a watcher.
  at::Tensor forward(const at::Tensor& tokens,
                     const at::Tensor& positions,
                     Attention& attention,
                     const at::Tensor& kept = {},
                     LayerWatcher* watcher = nullptr) const;

  // Logits [n, V], float32, of rows of forward()'s result. Of several processes the first has them;
  // undefined on all others.
  at::Tensor logits(const at::Tensor& hidden) const;

  // What a process that is not the first does when that calls logits().
  void follow_logits(Parcel& parcel) const;

  // forward()'s result [n, C] behind the final norm, float32.
  at::Tensor final_norm(const at::Tensor& hidden) const;
  const at::Tensor& norm_weight() const { return norm_; }
  // The output head's rows of tokens, [n, C], float32.
  at::Tensor head_rows(const TokenIds& tokens) const;
  // What a layer adds for heads' results x [n, H * D], without its bias: [n, C], float32. A norm
  // behind attention divides them as it divides all heads' result together, `whole` [1, H * D],
  // which counts in such families only. Of one process alone.
  at::Tensor project_attention(int layer, const at::Tensor& x, const at::Tensor& whole) const;

 private:
  // Norms are float32, and undefined where the family has none.
  struct Layer {
    at::Tensor input_norm;      // [C]
    Linear qkv_proj;            // q, k and v one below the other
    at::Tensor query_norm;      // [D], of each head; or [H * D], of all of them
    at::Tensor key_norm;        // [D]; or [K * D]
    Linear o_proj;              // [C, H * D]
    at::Tensor attention_norm;  // [C], of what attention adds
    at::Tensor mlp_norm;        // [C]
    Linear gate_up_proj;        // gate over up
    Linear down_proj;           // [C, F]
    // Instead of the two, in layers that have them.
    std::optional<ExpertMlp> experts;
    at::Tensor mlp_output_norm;  // [C], of what the MLP adds
  };

  Layer load_layer(ParameterLoader& loader, int layer);
  void tell_hidden(const at::Tensor& hidden) const;
  at::Tensor embed(const at::Tensor& tokens) const;
  at::Tensor embedding_rows(const at::Tensor& tokens) const;
  at::Tensor token_rows(const at::Tensor& tokens,
                        const std::function<at::Tensor(const at::Tensor& places)>& rows) const;
  // x [T, C] normed, or as it is where the norm is undefined; in the type of the products.
  at::Tensor normed(const at::Tensor& x, const at::Tensor& norm) const;
  // Queries and keys among heads [T, H + 2 K, D], in place.
  void norm_heads(const Layer& layer, const at::Tensor& qkv) const;
  at::Tensor gated(at::Tensor gate_up) const;
  // x [T, in] times the weight; and added to sum [T, out].
  at::Tensor multiply(const Linear& weight, const at::Tensor& x) const;
  void add_product(at::Tensor& sum, const Linear& weight, const at::Tensor& x) const;
  // What all processes have made, beside one another: their part of each row [T, n] becomes the
  // whole. Alone it is whole already.
  at::Tensor joined(const at::Tensor& part,
                    weights::RowRange Share::*range,
                    std::int64_t n_each = 1) const;
  const Share& share() const { return shares_[static_cast<std::size_t>(team_->rank())]; }
  // Norms over all heads of all processes, in place.
  void norm_joined_heads(const Layer& layer, const at::Tensor& qkv) const;
  // As add_product(), with the norm of what is added and the model's scale of it.
  void add_part(at::Tensor& sum,
                const Linear& weight,
                const at::Tensor& x,
                const at::Tensor& norm) const;
  // sum += what a layer's MLP makes of it.
  void add_mlp(at::Tensor& sum, const Layer& layer) const;
  // sum += part, with the norm of what is added and the model's scale of it.
  void add_scaled(at::Tensor& sum, at::Tensor part, const at::Tensor& norm) const;
  bool has_fixed_rows() const { return device_.is_cuda() && !is_fast_; }

  Team* team_;
  std::int64_t number_ = 0;
  weights::DecoderConfig whole_;
  std::vector<Share> shares_;  // by rank; none where this process is alone
  weights::DecoderConfig config_;
  DType dtype_;
  Placement placement_;
  c10::Device device_;  // the first
  bool is_fast_;
  at::Tensor embedding_;  // [V, C]; of the tokens of this process's share; or all of it as
  std::optional<weights::PackedWeight> packed_embedding_;
  double embedding_scale_ = 1.0;
  std::vector<Layer> layers_;
  at::Tensor norm_;                             // [C], float32
  Linear head_;                                 // [V, C]; the embedding where they are tied
  std::vector<AttentionForm> attention_forms_;  // by layer
  Rotations rotations_;
};

}  // namespace labelprobe::model
