// Which tokens probably follow the beginning of an answer: once a label's first token is there, the
// rest of the label, and what the format puts behind it. A guess for the model room to check
// (GenerateOptions::draft); nothing depends on its being right.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::readout {

class AnswerDraft {
 public:
  // From answers as a model may write them, each with what surrounds it in a prompt.
  AnswerDraft(const tokenizer::Tokenizer& tokenizer, std::span<const std::string> answers);

  // What follows the longest end of `generated` that some answer has in it, up to the end of that
  // answer: of several answers the first. Empty where no answer has the newest token.
  TokenIds operator()(std::span<const TokenId> generated) const;

 private:
  struct Place {
    std::size_t answer = 0;
    std::size_t next = 0;  // the token after it
  };
  std::size_t n_matched(const Place& place, std::span<const TokenId> generated) const;

  std::vector<TokenIds> answers_;
  std::map<TokenId, std::vector<Place>> places_;
};

}  // namespace labelprobe::readout
