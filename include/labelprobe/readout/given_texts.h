// How probable given texts are: the log-probability of every token of texts that somebody else has
// written. Texts of a request begin alike, as a prompt with several continuations does; what they
// share, among themselves and with other requests, is computed once.
// Callers: app, for `labelprobe score`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/token.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::readout {

// What the tokens of a prompt with its continuation are. The white space that ends a prompt counts
// to the continuation, as in lm-eval.
enum class Joining {
  // Those of both as one text; the continuation begins with the first token that reaches into it.
  Text,
  // As lm-eval has it: as many tokens as the prompt has alone are the prompt's own ones, and the
  // rest is that of the whole text. Where the two do not fit together, the tokens do not spell it.
  LmEval,
};
inline constexpr auto kJoinings =
    enum_names<Joining>("joining", {{Joining::Text, "text"}, {Joining::LmEval, "lm-eval"}});

// A text, of which the tokens from `first` on are scored.
struct GivenText {
  TokenIds tokens;
  std::size_t first = 1;  // at least 1, for nothing is before token 0

  friend bool operator==(const GivenText&, const GivenText&) = default;
};

// The tokens of a prompt with its continuation. Without special tokens an empty prompt gets the
// tokenizer's begin-of-text or else its end-of-text token, as in lm-eval, for the first token must
// follow something. Throws DataError where nothing is left to score: an empty continuation, or one
// that fuses with the prompt.
GivenText join_texts(const tokenizer::Tokenizer& tokenizer,
                     std::string_view prompt,
                     std::string_view continuation,
                     tokenizer::SpecialTokens special,
                     Joining joining);

struct TextScore {
  // [tokens.size() - first], natural logs: the logit less the log-sum-exp of the vocabulary.
  std::vector<double> token_logprobs;
  double logprob = 0.0;    // their sum
  bool is_greedy = false;  // each of these tokens has the largest logit; of equals, the smallest id
};

struct GivenRequest {
  std::vector<GivenText> texts;    // at least one
  std::optional<TokenIds> prompt;  // scored too, all but its first token; begins like the texts
};

struct RequestScore {
  std::vector<TextScore> texts;         // in the order of the request's
  std::vector<double> prompt_logprobs;  // [prompt.size() - 1]
  // Set where it could not be scored, e.g. for being longer than the context; the rest is empty.
  std::optional<std::string> failure;
};

struct ScoringOptions {
  int batch_size = 0;  // requests computed together at most; 0 = chosen from free memory
  bool share_prefixes = true;
  std::vector<bool> is_scored;  // [n_requests], that are left out; empty = none
  // Told of the effort so far while a batch is being computed; unset = nobody watches.
  std::function<void(const model::Effort&)> on_work;
};

// What a model makes of all texts. Each request's score goes to the sink once, in the order in
// which the model comes upon them. Throws what LanguageModel::explore() and the sink throw.
void score_texts(model::LanguageModel& language_model,
                 std::span<const GivenRequest> requests,
                 const ScoringOptions& options,
                 const std::function<void(std::size_t request, RequestScore)>& sink);

// How many tokens the model computes for them, at most: equal beginnings of a request count once.
std::int64_t n_tokens_at_most(std::span<const GivenRequest> requests);

}  // namespace labelprobe::readout
