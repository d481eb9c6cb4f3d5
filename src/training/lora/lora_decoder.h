// A decoder of Llama's block with frozen weights and LoRA matrices: its loss on blocks of tokens,
// and the gradients of the matrices. The arithmetic is that of transformers with peft; batches are
// whole blocks without padding, in which every token sees all before it.
//   B  blocks   T  tokens of a block   N  B * T rows   C  hidden size   V  vocabulary   r  rank
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "labelprobe/training/finetune.h"

#include "training/lora/frozen_linear.h"
#include "training/optimizer/adam_w.h"
#include "weights/checkpoint/checkpoint.h"

namespace labelprobe::training {

// Throws ConfigError for a target module that the family's blocks do not have, with the nearest.
void check_target_modules(const weights::Family& family, const std::vector<std::string>& targets);

class LoraDecoder {
 public:
  // Loads the weights. The matrices begin as peft's do: A uniform in +-1/sqrt(in), drawn from the
  // seed, and B zero; so that nothing is changed yet. Throws ConfigError for target modules that
  // the family does not have.
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

  struct Layer {
    at::Tensor input_norm;  // [C], float32
    at::Tensor mlp_norm;
    Projection query, key, value, output, gate, up, down;
  };

  Projection load(weights::Checkpoint& checkpoint,
                  weights::Role role,
                  int layer,
                  const FinetuneSettings& settings);
  at::Tensor load_plain(weights::Checkpoint& checkpoint,
                        const weights::Parameter& parameter,
                        at::ScalarType type);
  void add_matrices(Projection& projection,
                    const weights::Parameter& weight,
                    const LoraSettings& lora,
                    std::uint64_t seed);

  // x in the type of the products; `dropout_seed` 0 = no dropout.
  at::Tensor project(const Projection& projection,
                     const at::Tensor& x,
                     std::uint64_t dropout_seed) const;
  at::Tensor attend(const Layer& layer,
                    const at::Tensor& normed,
                    std::int64_t n_blocks,
                    std::uint64_t dropout_seed) const;
  // What follows after the layer for x [N, C], float32.
  at::Tensor pass(const Layer& layer,
                  const at::Tensor& x,
                  std::int64_t n_blocks,
                  std::uint64_t dropout_seed) const;
  at::Tensor embed(const at::Tensor& tokens) const;

  weights::DecoderConfig config_;
  c10::Device device_;
  at::ScalarType type_;  // of the products
  double scale_;         // of B A
  double dropout_;
  bool checkpoints_gradients_;
  at::Tensor embedding_;  // [V, C]
  std::vector<Layer> layers_;
  at::Tensor norm_;     // [C], float32
  at::Tensor head_;     // [V, C]; the embedding where they are tied
  at::Tensor cosines_;  // [positions, D / 2], float32
  at::Tensor sines_;
  std::vector<NamedParameter> parameters_;
};

}  // namespace labelprobe::training
