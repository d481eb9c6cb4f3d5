// Where a run looks inside the model: the last token of the prompt, the places that predict a
// label's first token; and what becomes of what is seen there.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "labelprobe/experiment/settings.h"
#include "labelprobe/model/explorer.h"
#include "labelprobe/record/item_record.h"

#include "experiment/explore/inner_explorer.h"

namespace labelprobe::experiment {

// One place of a prompt with its answer.
struct LabelLook {
  std::int64_t step = 0;  // 0: the prompt's last token; t: the place that predicts label step t's
  InnerPlace place;
  bool keeps_states = false;
  bool keeps_attention = false;
};

// In the order of the text.
//   label_indices  tokens generated before each label step's
// Attention is looked at from the second label step on: to the prompt, to the answer so far, to its
// labels' first tokens as the published code finds them, and as they are.
std::vector<LabelLook> label_looks(const InsideSettings& settings,
                                   std::int64_t n_prompt_tokens,
                                   std::span<const std::int64_t> label_indices);

// What attention gives to each of them, by label step: mean over layers and heads of their summed
// weights, and how many positions they are.
// Source: the published code's statistics (docs: generation, section 7), whose label tokens are the
// places before the labels' first tokens.
record::LabelAttention label_attention(std::span<const LabelLook> looks,
                                       std::span<const model::Inside> seen);

}  // namespace labelprobe::experiment
