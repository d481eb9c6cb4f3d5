// What the tokens that a server has not shown may change: label probabilities with bounds.
#pragma once

#include <vector>

#include "labelprobe/model/language_model.h"
#include "labelprobe/record/item_record.h"

namespace labelprobe::experiment {

inline constexpr const char* kTopLogprobs = "top_logprobs";  // name of the readout

// Bounds of the first label step, in the order of the item's label steps; where answer words are
// read, of their place at once and one token earlier (ReadoutPlace). Probabilities are relative to
// the labels, as `scores` are; a label that was not shown has 0, and at most what the least likely
// token shown has and what is left of the vocabulary. `unexplored` is that rest, `label_mass` the
// shown labels' share of the vocabulary. The steps behind the first are slots.
//   of_prompt, of_beginning  made by generation_of(); the latter may be null
std::vector<record::ReadoutValues> bounds_of(const model::Generation& of_prompt,
                                             const model::Generation* of_beginning,
                                             const record::ItemRecord& item);

}  // namespace labelprobe::experiment
