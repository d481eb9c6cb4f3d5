// A step of an answer at which a label begins, and what the model makes of every label there. The
// logits are raw, so that each definition of a probability can be had from them later.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace labelprobe::record {

// How a label follows the text before it. Byte-level tokenizers have separate tokens for both:
// `joy` and ` joy`.
enum class SpaceVariant { Bare = 0, Spaced = 1 };

// One number per label name, in label-set order with `none` last where the set has it; those read
// from a log are in its order, which is alphabetical.
using LabelValues = std::vector<std::pair<std::string, float>>;

// One of the tokens with the largest logits of the whole vocabulary, decoded.
struct LikelyToken {
  std::string text;
  float logit = 0.0F;

  friend bool operator==(const LikelyToken&, const LikelyToken&) = default;
};

// Fields that the log of an earlier version or of the published program does not tell are unset.
struct LabelStep {
  std::optional<std::int64_t> index;    // in ItemRecord::outs_ids
  std::optional<SpaceVariant> variant;  // of the label generated here
  LabelValues logits;                   // of the labels' first tokens in that variant
  LabelValues other_logits;             // in the other variant, as if the step had begun there
  // log of the sum of exp over the whole vocabulary's logits (natural log): a token's probability
  // is exp(logit - log_sum_exp).
  std::optional<float> log_sum_exp;
  std::optional<float> vocab_entropy;      // of the whole vocabulary's distribution, in nats
  std::vector<LikelyToken> likely_tokens;  // largest logit first
  // Label probabilities as a log spells them, perhaps rounded; empty = they follow from `logits`.
  LabelValues logged_probs;

  friend bool operator==(const LabelStep&, const LabelStep&) = default;
};

// What the paper calls the distribution at a step: the softmax over the labels' logits alone.
LabelValues label_probs(const LabelStep& step);

// softmax(logits) in float32 with the maximum taken out first. Empty in, empty out.
std::vector<float> softmax(std::span<const float> logits);

}  // namespace labelprobe::record
