// An answer of a server as the generation that a local model would have given: words in place of
// tokens, log-probabilities in place of logits.
#pragma once

#include <string>
#include <vector>

#include "labelprobe/model/language_model.h"
#include "labelprobe/server/answerer.h"

#include "experiment/served/served_vocabulary.h"

namespace labelprobe::experiment {

// Stands for the log-probability of a token that is not among those the server gave: its
// probability is taken for 0, as the published code does; in float32 it is. The bounds say what it
// may be (served_bounds.h).
inline constexpr float kUnseenLogprob = -200.0F;

// The tokens of the answer up to the one at which it is complete by options.stop. A watched word
// that the answer goes on with is one token, whose step is that of its first piece; so that a label
// is found however the server cuts it. A step's watched logits are log-probabilities of words'
// first tokens: where these are not known, of the tokens given there the longest that begins the
// word.
//   options       its watched words are of the vocabulary
//   first_tokens  [n_watched], an empty one is not known; or none
model::Generation generation_of(const server::TextAnswer& answer,
                                const model::GenerateOptions& options,
                                const ServedVocabulary& vocabulary,
                                const std::vector<std::string>& first_tokens = {});

}  // namespace labelprobe::experiment
