// What is kept of one step's logits: the greedy choice, watched and largest
// logits, the log of their sum.
//   B  sequences   V  vocabulary
#pragma once

#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "labelprobe/model/language_model.h"

namespace labelprobe::model {

struct StepReading {
  bool has_nan = false;  // the logits cannot be used
  TokenId best = 0;      // largest logit; of equals, the smallest id
  Step step;
};

// Of logits [B, V], float32, on any device: one copy to the host for all of it.
std::vector<StepReading> read_step(const at::Tensor& logits,
                                   std::span<const TokenId> watched,
                                   int n_top_tokens);

// As read_step() by plain tensor operations, on any device.
std::vector<StepReading> read_step_plainly(const at::Tensor& logits,
                                           std::span<const TokenId> watched,
                                           int n_top_tokens);

// Applies the repetition penalty, in place: logits of the tokens of seen[b] divided by it where
// positive, multiplied where negative, each once. Token lists must not be empty.
void penalize_repetition(const at::Tensor& logits, std::span<const TokenIds> seen, double penalty);

}  // namespace labelprobe::model
