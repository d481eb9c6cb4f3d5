// A decoder of any family without experts, with frozen weights and LoRA matrices: its loss on
// blocks of tokens, and the gradients of the matrices. The arithmetic is that of transformers with
// peft; batches are whole blocks without padding, in which every token sees all before it, or those
// in its layer's window.
//   B  blocks   T  tokens of a block   N  B * T rows   C  hidden size   H  query heads
//   K  key heads   D  head size   R  numbers of a head that are turned   V  vocabulary   r  rank
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "labelprobe/training/finetune.h"

#include "training/lora/frozen_linear.h"
#include "training/lora/row_operators.h"
#include "training/optimizer/adam_w.h"
#include "weights/checkpoint/checkpoint.h"

namespace labelprobe::training {

// Throws ConfigError for a model whose block is not trained, and for a target module that the
// family's blocks do not have, with the nearest.
void check_trainable(const weights::DecoderConfig& config, const std::vector<std::string>& targets);

class LoraDecoder {
 public:
  // Loads the weights. The matrices begin as peft's do: A uniform in +-1/sqrt(in), drawn from the
  // seed, and B zero; so that nothing is changed yet. Throws as check_trainable().
  LoraDecoder(weights::Checkpoint& checkpoint,
              const FinetuneSettings& settings,
              c10::Device device);

  const weights::DecoderConfig& config() const { return config_; }
  c10::Device device() const { return device_; }

  // A and B of every changed layer, float32, by their names in peft's files.
  const std::vector<NamedParameter>& parameters() const { return parameters_; }

  // The sum of the negative log-likelihoods, in nats, of the tokens [B, T] (int64, on the CPU)
  // behind the first of each block.
  double loss(const at::Tensor& tokens) const;

  // The same; adds `scale` times its gradients to those of the parameters.
  //   dropout_seed  where the dropout of this pass is drawn from
  double add_gradients(const at::Tensor& tokens, double scale, std::uint64_t dropout_seed) const;

 private:
  // One linear layer of a block.
  struct Projection {
    FrozenLinear frozen;
    at::Tensor a;  // [r, in]; undefined where LoRA leaves the layer as it is
    at::Tensor b;  // [out, r]
    std::uint64_t number = 0;
  };

  // Norms are float32, and undefined where the family has none.
  struct Layer {
    at::Tensor input_norm;            // [C]
    std::vector<Projection> qkv;      // q, k and v, or one for all
    at::Tensor query_norm, key_norm;  // [D], of each head; or [H * D] and [K * D]
    Projection output;
    at::Tensor attention_norm;        // [C], of what attention adds
    at::Tensor mlp_norm;              // [C]
    std::vector<Projection> gate_up;  // gate and up, or one for both
    Projection down;
    at::Tensor mlp_output_norm;  // [C], of what the MLP adds
    std::int64_t window = 0;     // a token sees so many, the last itself; 0 = all
    at::Tensor cosines, sines;   // [positions, R / 2]; undefined: nothing is turned
  };

  Layer load_layer(weights::Checkpoint& checkpoint, int layer, const FinetuneSettings& settings);
  Projection load(weights::Checkpoint& checkpoint,
                  weights::Role role,
                  int layer,
                  const FinetuneSettings& settings);
  at::Tensor load_plain(weights::Checkpoint& checkpoint,
                        const weights::Parameter& parameter,
                        at::ScalarType type);
  at::Tensor load_norm(weights::Checkpoint& checkpoint, weights::Role role, int layer);
  void make_turns(std::int64_t n_positions);
  void add_matrices(Projection& projection,
                    const weights::Parameter& weight,
                    const LoraSettings& lora,
                    std::uint64_t seed);

  // x in the type of the products; `dropout_seed` 0 = no dropout.
  at::Tensor project(const Projection& projection,
                     const at::Tensor& x,
                     std::uint64_t dropout_seed) const;
  // The product with each; of one that stands for several, its parts of these sizes.
  std::vector<at::Tensor> project_all(const std::vector<Projection>& projections,
                                      const at::Tensor& x,
                                      const std::vector<std::int64_t>& sizes,
                                      std::uint64_t dropout_seed) const;
  // x [.., n] normed, or as it is where the norm is undefined; in the type of the products.
  at::Tensor normed(const at::Tensor& x, const at::Tensor& norm) const;
  // Queries or keys [N, n * D] as heads [B, n, T, D], normed and turned as the layer has it.
  at::Tensor heads(const Layer& layer,
                   const at::Tensor& rows,
                   const at::Tensor& norm,
                   std::int64_t n_blocks) const;
  // Queries, keys and values [B, H, T, D]; returns the same shape.
  at::Tensor weigh(const Layer& layer,
                   const at::Tensor& queries,
                   const at::Tensor& keys,
                   const at::Tensor& values) const;
  at::Tensor attend(const Layer& layer,
                    const at::Tensor& x,
                    std::int64_t n_blocks,
                    std::uint64_t dropout_seed) const;
  // x [N, C], float32, and what attention or MLP adds to it.
  at::Tensor add(const at::Tensor& x, const at::Tensor& part, const at::Tensor& norm) const;
  // What follows after the layer for x [N, C], float32.
  at::Tensor pass(const Layer& layer,
                  const at::Tensor& x,
                  std::int64_t n_blocks,
                  std::uint64_t dropout_seed) const;
  at::Tensor embed(const at::Tensor& tokens) const;
  LogitForm logit_form() const { return {config_.logits_divisor, config_.final_softcap}; }

  weights::DecoderConfig config_;
  c10::Device device_;
  at::ScalarType type_;  // of the products
  double scale_;         // of B A
  double dropout_;
  bool checkpoints_gradients_;
  at::Tensor embedding_;  // [V, C]
  double embedding_scale_ = 1.0;
  std::vector<Layer> layers_;
  at::Tensor norm_;  // [C], float32
  at::Tensor head_;  // [V, C]; the embedding where they are tied
  std::vector<NamedParameter> parameters_;
};

}  // namespace labelprobe::training
