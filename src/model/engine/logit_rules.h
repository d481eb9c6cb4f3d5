// Applies the rules of GenerateOptions to a step's logits, in the order of transformers' logits
// processors: biases, the repetition penalty, bans, forced tokens, suppressed ones.
#pragma once

#include <span>

#include <ATen/core/Tensor.h>

#include "labelprobe/model/language_model.h"

namespace labelprobe::model {

// What a row of logits follows.
struct RowContext {
  TokenIds tokens;  // prompt and output so far; not empty
  std::size_t n_prompt_tokens = 0;
};

// Whether the logits stay as they are.
bool changes_nothing(const GenerationRules& rules);

// In place: logits [B, vocabulary], row b follows rows[b].
void apply_rules(const at::Tensor& logits,
                 std::span<const RowContext> rows,
                 const GenerateOptions& options);

// The repetition penalty alone, in place: logits of the tokens of rows[b] divided by it where
// positive, multiplied where negative, each once.
void penalize_repetition(const at::Tensor& logits,
                         std::span<const RowContext> rows,
                         double penalty);

}  // namespace labelprobe::model
