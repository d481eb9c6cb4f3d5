// Where a prompt is cut so that its end may be divided into tokens otherwise. A model that was
// given `Label:` in its usual tokens hardly writes `joy` without a space, for a colon and a space
// would have been one token; with the end left open, all tokenisations of `Label: joy` count.
// Source: token healing, and the covering of Vieira et al. 2024 (From language models over tokens
// to language models over characters).
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "labelprobe/core/token.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::readout {

struct PromptEnd {
  std::size_t n_kept = 0;  // tokens of the prompt before its end
  std::string text;        // of the others; empty: there is no end that may be open
};

// The end that is left open: the last `n_tokens` tokens, at most kMostOpenTokens. It never reaches
// beyond a special token, which no other token can be a part of; two tokens stay.
inline constexpr int kMostOpenTokens = 32;
PromptEnd find_end(const tokenizer::Tokenizer& tokenizer,
                   std::span<const TokenId> prompt_ids,
                   int n_tokens);

}  // namespace labelprobe::readout
