// Answers that are one word out of a few: unary ("reasonable", "unreasonable") and binary ("a",
// "b") prompts. Three definitions side by side: at the generated word (the paper's), at the first
// generated position, and one token before it ("healed": the prompts end in a space, after which
// byte-level tokenizers rarely go on with a word).
#pragma once

#include <functional>
#include <span>

#include "labelprobe/model/language_model.h"
#include "labelprobe/readout/answer.h"
#include "labelprobe/readout/label_tokens.h"
#include "labelprobe/record/item_record.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::readout {

// The words' tokens are those of find_label_tokens() after a line break, {"\n" + word, 1}, so that
// the form without a space is the one in context; under LabelVariants::Strict only it counts.

// True as soon as the newest token begins an answer word. One inside another word, such as the
// `reason` of `Unreasonable`, does not (LabelVariants::Strict: it does, as published). Keeps a
// reference to the tokenizer.
std::function<bool(std::span<const TokenId>)> word_predicate(const LabelTokens& words,
                                                             const tokenizer::Tokenizer& tokenizer);

// Fills the answer fields of `item`: predictions (the word, none if it never came), the label step
// where the word was generated (uniform stand-ins if it never came), the three AnswerReadings,
// outs.
//   generation  of the whole prompt; its steps watched `words.watched()` and kept a top token
//   rule        its stop string ends the answer's text; no chain of thought
//   healed      of the prompt without its last space: at least one step, same watched tokens
// Words that share the generated first token have logits, but none of them is the prediction. A
// tokenizer that keeps spaces apart has one token for both space variants; its probability stands
// with the bare one, and the spaced one is 0. If either generation failed, `failure` alone is
// filled.
void read_word(const model::Generation& generation,
               const model::Generation& healed,
               const LabelTokens& words,
               const AnswerRule& rule,
               const tokenizer::Tokenizer& tokenizer,
               record::ItemRecord& item);

}  // namespace labelprobe::readout
