// What a forward pass says about names: their first tokens' logits out of everything watched.
#pragma once

#include <string>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/readout/label_tokens.h"
#include "labelprobe/record/item_record.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::readout {

// The logits of `first_tokens`, in their order.
//   watched  the tokens whose logits the step has, ascending; all of `first_tokens` among them
std::vector<float> logits_at(const model::Step& step,
                             const TokenIds& watched,
                             const TokenIds& first_tokens);

// What is kept of step `index` of a generation, at which a label begins in `variant`.
record::LabelStep make_label_step(const model::Generation& generation,
                                  std::size_t index,
                                  SpaceVariant variant,
                                  const LabelTokens& label_tokens,
                                  const tokenizer::Tokenizer& tokenizer);

// The largest logits of a step with their tokens decoded.
std::vector<record::LikelyToken> likely_tokens(const model::Step& step,
                                               const tokenizer::Tokenizer& tokenizer);

// Names and numbers side by side; both [n_names].
record::LabelValues with_names(const std::vector<std::string>& names,
                               const std::vector<float>& numbers);

// 1/n for each name: the published stand-in where no label step was found.
record::LabelValues uniform_probs(const std::vector<std::string>& names);

}  // namespace labelprobe::readout
