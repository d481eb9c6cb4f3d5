// Whether tokens are those that the tokenizer itself makes of their text.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "labelprobe/core/token.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::readout {

class CanonicalText {
 public:
  // `prompt_ids` are what the answer follows; its last tokens are looked at. References the
  // tokenizer.
  CanonicalText(const tokenizer::Tokenizer& tokenizer, std::span<const TokenId> prompt_ids);

  // All tokens of an answer but the last, which more text may change: re-encoded behind the
  // prompt's end, they are the same. True as long as the text ends inside a character.
  //   goes_on  more tokens will follow: how white space at the end is divided depends on them
  bool has(std::span<const TokenId> answer, bool goes_on) const;

  // The tokens of an answer's text. Where the tokenizer would not have ended the prompt there,
  // those behind a line break.
  TokenIds tokens_of_answer(const std::string& text) const;

  // The tokens of `text` behind the prompt and `before`; the first one may begin inside `before`.
  // Empty where `text` is.
  TokenIds tokens_of(const std::string& before, const std::string& text) const;

 private:
  const tokenizer::Tokenizer& tokenizer_;
  std::string tail_;
};

}  // namespace labelprobe::readout
