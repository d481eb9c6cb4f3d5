// What a forward pass says about names: their first tokens' logits out of everything watched.
#pragma once

#include <string>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/record/item_record.h"

namespace labelprobe::readout {

// The logits of `first_tokens`, in their order.
//   watched  the tokens whose logits the step has, ascending; all of `first_tokens` among them
std::vector<float> logits_at(const model::Step& step,
                             const TokenIds& watched,
                             const TokenIds& first_tokens);

// Names and numbers side by side; both [n_names].
record::LabelValues with_names(const std::vector<std::string>& names,
                               const std::vector<float>& numbers);

// 1/n for each name: the published stand-in where no label step was found.
record::LabelValues uniform_scores(const std::vector<std::string>& names);

}  // namespace labelprobe::readout
