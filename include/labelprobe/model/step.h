// What is kept of the logits at one place of a text.
#pragma once

#include <vector>

#include "labelprobe/core/token.h"

namespace labelprobe::model {

struct TopToken {
  TokenId id;
  float logit;
};

// The logits that the text so far gives the next token.
struct Step {
  std::vector<float> watched_logits;  // [n_watched], in the order of the watched tokens
  std::vector<TopToken> top_tokens;   // [n_top_tokens], largest logit first, ties by smaller id
  // log of the sum of exp over the whole vocabulary's logits (natural log, float32): a token's
  // probability is exp(logit - log_sum_exp).
  float log_sum_exp = 0.0F;
  float entropy = 0.0F;  // of the whole vocabulary's distribution, in nats
};

}  // namespace labelprobe::model
