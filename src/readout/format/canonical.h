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
  bool has(std::span<const TokenId> answer) const;

 private:
  TokenIds encoded(const std::string& before, const std::string& text, bool& is_split) const;

  const tokenizer::Tokenizer& tokenizer_;
  std::string tail_;
};

}  // namespace labelprobe::readout
