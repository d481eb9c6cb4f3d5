// One sequence while it generates: what it has answered so far and whether it goes on.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "labelprobe/model/language_model.h"

#include "model/engine/step_reader.h"

namespace labelprobe::model {

class SequenceState {
 public:
  // Ends after `n_new_tokens` at the latest. `options` must outlive it.
  SequenceState(std::span<const TokenId> prompt, int n_new_tokens, const GenerateOptions& options);

  bool is_finished() const { return is_finished_; }
  // Prompt and generated tokens.
  const TokenIds& tokens() const { return tokens_; }
  std::span<const TokenId> generated() const { return generation_.token_ids; }

  int n_generated() const { return static_cast<int>(generation_.token_ids.size()); }
  // Tokens that it may still generate.
  int n_left() const { return n_new_tokens_ - n_generated(); }

  // What the next step computes: the newest token, and after it tokens that are expected to follow,
  // fewer than n_left().
  void expect(std::span<const TokenId> drafted);
  std::span<const TokenId> pending() const { return pending_; }

  // Whether the logits after pending()[i] choose its next token: those before must have been taken,
  // and the last of them must have chosen what was expected.
  bool awaits(int i) const;

  int n_taken() const { return n_taken_; }  // tokens, by this step

  // Adds the token chosen by a step; `logits` are all of the step's, or null if they are not kept.
  void take(StepReading reading, const float* logits, std::int64_t n_logits);

  // The answer of a prompt that asked for `n_new_tokens`, not more than the sequence did.
  Generation generation(int n_new_tokens) const;

 private:
  const GenerateOptions& options_;
  int n_new_tokens_;
  TokenIds tokens_;
  TokenIds pending_;
  int n_taken_ = 0;        // of this step
  Generation generation_;  // its failure, if any, is that of the step after the last
  bool is_finished_ = false;
};

// A row of a step: pending()[i] of a sequence.
struct StepRow {
  int sequence = 0;
  int i = 0;
};

// Gives the sequences their tokens from logits [B, vocabulary], row r being that of rows[r], which
// ascend. The logits may be changed.
void take_step(const at::Tensor& logits,
               std::span<const StepRow> rows,
               std::span<SequenceState> states,
               const GenerateOptions& options);

}  // namespace labelprobe::model
