// The settings of a model's own generation configuration that change greedy logits. They act on the
// logits of every step before anything reads them, in the order and with the meaning of
// transformers' logits processors; the fields have its names where they are settings of it.
#pragma once

#include <string>
#include <vector>

#include "labelprobe/core/token.h"

namespace labelprobe::weights {

// What is added to the logit of the last token where the others stand right before it.
struct SequenceBias {
  TokenIds tokens;  // not empty
  float bias = 0.0F;

  friend bool operator==(const SequenceBias&, const SequenceBias&) = default;
};

struct GenerationRules {
  std::vector<SequenceBias> sequence_bias;
  // 1.0 = off. Logits of every distinct token of prompt and output are divided by it where
  // positive, multiplied where negative.
  double repetition_penalty = 1.0;
  int no_repeat_ngram_size = 0;         // 0 = off
  std::vector<TokenIds> bad_words_ids;  // none empty; an end token alone does not count
  int min_length = 0;                   // tokens of prompt and output before an end token
  int min_new_tokens = 0;
  TokenIds forced_bos_token_id;  // at most one: what follows a prompt of one token
  TokenIds forced_eos_token_id;  // what the last token that may be generated must be one of
  TokenIds suppress_tokens;
  TokenIds begin_suppress_tokens;  // at the first step only

  friend bool operator==(const GenerationRules&, const GenerationRules&) = default;
};

// "repetition_penalty 1.05, suppress_tokens 66 67": all that is in force; empty if nothing is.
std::string describe(const GenerationRules& rules);

}  // namespace labelprobe::weights
