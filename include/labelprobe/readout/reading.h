// What a generation says about the labels: the label steps, the distribution at each, the
// predictions. Definition: paper section 4; steps are found in the generated token ids themselves,
// never in re-tokenized text.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/core/label_set.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/readout/answer.h"
#include "labelprobe/readout/label_tokens.h"
#include "labelprobe/record/item_record.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::readout {

// Where a label begins.
struct LabelPlace {
  std::size_t step = 0;  // index into the generated tokens
  SpaceVariant variant = SpaceVariant::Bare;
};

struct LabelPlaces {
  std::vector<LabelPlace> places;
  bool is_cut_off = false;  // the tokens end inside what may be another label's name
};

// The steps at which a label (or `none`) begins for the first time, ascending, each once.
// A token counts as a label's beginning only if the tokens after it go on with that label's whole
// name, as answers spell it; labels that share a first token are told apart so, and no label begins
// inside another's name. LabelVariants::Strict looks at the one token alone.
//   token_ids  generated tokens up to the end of the answer
LabelPlaces find_label_places(std::span<const TokenId> token_ids,
                              const LabelTokens& label_tokens,
                              const tokenizer::Tokenizer& tokenizer);

// Number of generated tokens that begin before the stop string; all of them if it does not occur or
// is empty.
std::size_t count_answer_tokens(std::span<const TokenId> token_ids,
                                std::string_view stop,
                                const tokenizer::Tokenizer& tokenizer);

// True as soon as the generated tokens contain the stop string. Never for an empty stop.
std::function<bool(std::span<const TokenId>)> stop_predicate(const tokenizer::Tokenizer& tokenizer,
                                                             std::string stop);

// Fills the answer fields of `item` from a generation whose steps watched `label_tokens.watched()`.
// The label set is that of the answers: of a data set, or the answer words.
// A failed generation fills `failure` alone. `item.kind` and the question's fields are left as they
// are.
void read(const model::Generation& generation,
          const LabelTokens& label_tokens,
          const AnswerRule& rule,
          const LabelSet& label_set,
          const tokenizer::Tokenizer& tokenizer,
          record::ItemRecord& item);

}  // namespace labelprobe::readout
