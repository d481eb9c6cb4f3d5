// What is kept of one step's logits: the greedy choice, watched and largest
// logits, the log of their sum, the entropy.
//   B  sequences   V  vocabulary
#pragma once

#include <optional>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>

#include "labelprobe/model/language_model.h"

namespace labelprobe::model {

struct StepReading {
  bool has_nan = false;  // the logits cannot be used
  TokenId best = 0;      // largest logit; of equals, the smallest id
  Step step;
};

// Reads logits [B, V], float32, on any device: one copy to the host for all of it.
std::vector<StepReading> read_step(const at::Tensor& logits,
                                   std::span<const TokenId> watched,
                                   int n_top_tokens);

// The watched tokens, where logits on this device are read.
at::Tensor watched_columns(std::span<const TokenId> watched, c10::Device device);

// What read_step() finds, as numbers on the logits' device, float64 [B, n]: the host waits for
// nothing.
at::Tensor pack_step(const at::Tensor& logits, const at::Tensor& columns, int n_top_tokens);

// The same by plain tensor operations, on any device.
at::Tensor pack_step_plainly(const at::Tensor& logits, const at::Tensor& columns, int n_top_tokens);

// The greedy choices of pack_step(), [B]: tokens of the vocabulary, whatever the logits were.
at::Tensor best_tokens(const at::Tensor& packed);

// The numbers of pack_step() on their way to the host, behind what the device has to do already.
class StepOnItsWay {
 public:
  explicit StepOnItsWay(const at::Tensor& packed);

  // Waits for them, and for nothing that the device was given later.
  std::vector<StepReading> wait(std::size_t n_watched, int n_top_tokens) const;

 private:
  at::Tensor on_host_;
  std::optional<c10::Event> is_there_;  // of a GPU
};

}  // namespace labelprobe::model
