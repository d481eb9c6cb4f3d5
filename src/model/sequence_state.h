// One sequence while it generates: what it has answered so far and whether it goes on.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "labelprobe/model/language_model.h"

#include "step_reader.h"

namespace labelprobe::model {

class SequenceState {
 public:
  // Ends after `n_new_tokens` at the latest. `options` must outlive it.
  SequenceState(std::span<const TokenId> prompt, int n_new_tokens, const GenerateOptions& options);

  bool is_finished() const { return is_finished_; }
  TokenId newest() const { return tokens_.back(); }
  // Prompt and generated tokens.
  const TokenIds& tokens() const { return tokens_; }

  int n_generated() const { return static_cast<int>(generation_.token_ids.size()); }

  // Adds the token chosen by a step; `logits` are all of the step's, or null if they are not kept.
  void take(StepReading reading, const float* logits, std::int64_t n_logits);

  // The answer of a prompt that asked for `n_new_tokens`, not more than the sequence did.
  Generation generation(int n_new_tokens) const;

 private:
  const GenerateOptions& options_;
  int n_new_tokens_;
  TokenIds tokens_;
  Generation generation_;  // its failure, if any, is that of the step after the last
  bool is_finished_ = false;
};

// Gives every unfinished sequence its token from logits [B, vocabulary], row i being that of
// states[rows[i]].
void take_step(const at::Tensor& logits,
               std::span<const std::int64_t> rows,
               std::span<SequenceState> states,
               const GenerateOptions& options);

}  // namespace labelprobe::model
