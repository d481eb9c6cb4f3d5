// Demux: a BERT encoder without pooler whose first segment names the labels, and one small head
// that turns the hidden state of a label's place into its logit. Computes in float32.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "training/demux/paired_texts.h"
#include "training/optimizer/adam_w.h"
#include "weights/encoder/encoder_config.h"

namespace labelprobe::training {

// Sets numbers to 0 with probability p and divides the others by 1 - p, from a seed of its own.
class Dropout {
 public:
  Dropout(double p, std::uint64_t seed, at::Device device);
  at::Tensor operator()(const at::Tensor& x);

 private:
  double p_;
  at::Generator generator_;
};

class DemuxModel {
 public:
  // Reads the encoder; the head is drawn from `seed` as torch.nn.Linear draws it. Throws ModelError
  // for a folder that holds no BERT.
  DemuxModel(const std::filesystem::path& folder, std::uint64_t seed, at::Device device);

  const weights::EncoderConfig& config() const { return config_; }
  // The encoder's by the names of its files, then "head.dense.*" and "head.out.*".
  const std::vector<NamedParameter>& parameters() const { return parameters_; }
  std::int64_t n_numbers() const;  // of all parameters

  // [B, n_labels]: of each label the largest of the logits at its places.
  //   dropout  null: none, as for predictions
  at::Tensor logits(const PairBatch& batch,
                    std::span<const std::vector<std::int64_t>> positions,
                    Dropout* dropout) const;

  // Copies, on the CPU, and back. Throws DataError for tensors that are missing or of other shapes.
  std::map<std::string, at::Tensor> values() const;
  void set_values(const std::map<std::string, at::Tensor>& values);

 private:
  const at::Tensor& parameter(const std::string& name) const;
  at::Tensor linear(const at::Tensor& x, const std::string& name) const;
  at::Tensor norm(const at::Tensor& x, const std::string& name) const;
  at::Tensor embed(const PairBatch& batch) const;
  at::Tensor attend(const at::Tensor& x,
                    const at::Tensor& mask,
                    const std::string& layer,
                    Dropout* dropout) const;

  weights::EncoderConfig config_;
  std::vector<NamedParameter> parameters_;
  std::map<std::string, std::size_t> places_;  // of parameters, by name
};

// The mean loss of a batch: binary cross-entropy with the intra loss, or cross-entropy.
//   targets  multi-label: [B, n_labels] float32, 0, 1, or -1 for what does not count; single-label:
//            [B] int64
at::Tensor demux_loss(const at::Tensor& logits, const at::Tensor& targets, double intra_loss_coef);

}  // namespace labelprobe::training
