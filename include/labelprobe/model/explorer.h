// Looking at any continuations of prompts, not only the greedy one: given texts, tries of labels,
// the likeliest answers one after the other, beams, samples. The explorer says which tokens are to
// follow which, the model computes all that are asked for together, each once.
// Callers: readout, which has the explorers; tests and models, which drive them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/model/step.h"

namespace labelprobe::model {

// What is kept at every place that is computed.
struct Observe {
  TokenIds watched;           // tokens whose logits are kept
  int n_top_tokens = 0;       // the k largest logits of the whole vocabulary
  bool shows_logits = false;  // all logits, as long as a place is being told
  // The rest is kept of places that are asked for with a Look. L layers:
  std::vector<int>
      hidden_layers;         // 0: the embedding; l: behind layer l, to L; -1: after the final norm
  bool shows_lens = false;   // Inside::lens
  bool shows_parts = false;  // Inside::parts
};

// Tokens of a text, by their positions from 0 on: [begin, end).
struct PositionRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};
using Positions = std::vector<PositionRange>;  // none overlaps another

// What is looked at inside the layers where a place is computed; see Inside.
struct Look {
  std::vector<Positions> attention_to;
  // The place is computed without their attention: after the softmax their weights are set to 0, in
  // all layers and heads, and the other weights stay as they are. Source: methods beyond the
  // paper's four, section 10.4.
  Positions knocked_out;
  // Inside::lens_log_sum_exp and lens_ranks of the watched tokens: the whole output head once more
  // for every layer.
  bool shows_vocabulary = false;
};

// What the layers hold at a place.
//   C  hidden size   L  layers   H  query heads
// Source: section 10 there; the final norm's scale of the parts is frozen as in Yan & Jia 2025.
struct Inside {
  std::vector<float> hidden;  // [n_hidden_layers, C]
  // [L + 1, n_watched]: logits of the watched tokens, were the output head to follow the embedding,
  // layer 1, ... The last ones are the model's own up to rounding.
  std::vector<float> lens;
  // Where Look::shows_vocabulary asks for them, of the same heads over the whole vocabulary, in the
  // model's number type; the last ones are the model's own.
  std::vector<float> lens_log_sum_exp;  // [L + 1]
  // [L + 1, n_watched]: 1 + how many tokens have a larger one
  std::vector<std::int64_t> lens_ranks;
  // [2 L + 1, n_watched]: what the embedding, and then each layer's attention and MLP add to the
  // watched tokens' logits. Together they are the logits.
  std::vector<float> parts;
  std::vector<float> attention;  // [n_groups, L, H]: weights of Look::attention_to, summed up
  // [n_groups, L, n_watched] where parts are shown: what attention to a group adds to the logits.
  std::vector<float> group_parts;
};

// A token of a prompt, and what the prompt before it makes of it.
struct PromptToken {
  float logit = 0.0F;        // of this token, where the text before it ends
  float log_sum_exp = 0.0F;  // of the whole vocabulary there
};

// Behind a prompt, or behind a token that was added there. The logits are raw: no rule and no
// temperature has changed them.
struct Place {
  std::size_t prompt = 0;      // which of the prompts
  int id = 0;                  // 0 behind the prompt itself, then from 1 on as they were asked for
  const Step* step = nullptr;  // until reach() returns
  const Inside* inside = nullptr;  // likewise; of a place that was asked for with a Look
  std::span<const float> logits;   // [vocab_size] if they are shown, likewise
};

// Where an explorer asks for further places of one prompt.
class Frontier {
 public:
  virtual ~Frontier() = default;

  // The place behind `token` at place `parent` of the same prompt, which may have been asked for
  // just now; -k is behind the prompt without its last k tokens, of which one at least is left.
  // Returns its id. Asking twice makes two places. Not more than Reach allows.
  virtual int add(int parent, TokenId token) = 0;
  // The same, and looks inside.
  virtual int add(int parent, TokenId token, const Look& look) = 0;
};

struct Generation;

// Prompts are independent of each other: which of them are computed together, and in which order,
// is up to the model. All from one thread.
class Explorer {
 public:
  virtual ~Explorer() = default;

  // Its place 0 comes next. Told again, after the prompt has been begun already, where memory ran
  // out: whatever was known of the prompt is to be forgotten.
  virtual void begin(std::size_t prompt) = 0;

  // Only with ExploreOptions::reads_prompts, after begin(): [n_tokens - 1], of the tokens after the
  // prompt's first one.
  virtual void read_prompt(std::size_t /*prompt*/, std::span<const PromptToken> /*tokens*/) {}

  // Only with ExploreOptions::greedy, after begin(): the prompt's greedy answer. A failed one is
  // told by finish() alone.
  virtual void answer(std::size_t /*prompt*/, const Generation& /*answer*/) {}

  virtual void reach(const Place& place) = 0;

  // All places of the prompt that were asked for have been reached. Where none is added, the prompt
  // is done.
  virtual void grow(std::size_t prompt, Frontier& next) = 0;

  // Once for every open prompt: nothing more will be told of it. With a failure (it does not fit
  // the context, its logits are not numbers) what was told before is of no use.
  virtual void finish(std::size_t prompt, const std::optional<std::string>& failure) = 0;
};

// How far an exploration may go behind a prompt.
struct Reach {
  int n_places = 0;  // beside place 0, at most
  int depth = 0;     // tokens behind the prompt, at most
};

}  // namespace labelprobe::model
