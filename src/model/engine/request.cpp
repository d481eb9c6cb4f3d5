#include "model/engine/request.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::model {

namespace {

GenerateOptions room_for(const ExploreOptions& options) {
  GenerateOptions room;
  for (const Reach& reach : options.reach) {
    room.n_new_tokens.push_back(1 + reach.n_places);
    room.stop.max_new_tokens = std::max(room.stop.max_new_tokens, 1 + reach.n_places);
  }
  if (options.reach.size() == 1) room.n_new_tokens.clear();
  room.watched = options.observe.watched;
  room.n_top_tokens = options.observe.n_top_tokens;
  room.batch_size = options.batch_size;
  room.share_prefixes = options.share_prefixes;
  room.is_answered = options.is_answered;
  room.on_work = options.on_work;
  return room;
}

}  // namespace

Request::Request(std::span<const TokenIds> prompts, GenerateOptions options, const ModelInfo& info)
    : prompts_(prompts), options_(std::move(options)), info_(info) {
  check();
}

Request::Request(std::span<const TokenIds> prompts,
                 const ExploreOptions& options,
                 const ModelInfo& info)
    : prompts_(prompts), options_(room_for(options)), info_(info), reach_(options.reach) {
  LABELPROBE_CHECK(reach_.size() == 1 || reach_.size() == prompts.size());
  for (const Reach& reach : reach_) {
    LABELPROBE_CHECK(reach.depth >= 0 && reach.depth <= reach.n_places);
  }
  check();
}

void Request::check() const {
  LABELPROBE_CHECK(options_.is_answered.empty() || options_.is_answered.size() == prompts_.size());
  if (options_.stop.max_new_tokens < 1) {
    throw ConfigError(
        fmt::format("max_new_tokens is {}; expected at least 1", options_.stop.max_new_tokens));
  }
  LABELPROBE_CHECK(options_.n_new_tokens.empty() ||
                   options_.n_new_tokens.size() == prompts_.size());
  for (std::size_t i = 0; i < options_.n_new_tokens.size(); ++i) {
    const int n = options_.n_new_tokens[i];
    if (n < 1 || n > options_.stop.max_new_tokens) {
      throw ConfigError(
          fmt::format("n_new_tokens of prompt {} is {}; expected 1 to max_new_tokens, which is {}",
                      i, n, options_.stop.max_new_tokens));
    }
  }
  if (!(options_.rules.repetition_penalty > 0)) {
    throw ConfigError(fmt::format("repetition_penalty is {}; expected a number above 0",
                                  options_.rules.repetition_penalty));
  }
  for (const TokenId id : options_.watched) {
    if (id < 0 || id >= info_.vocab_size) {
      throw ConfigError(
          fmt::format("watched token {} is not in the vocabulary of {}", id, info_.vocab_size));
    }
  }
}

std::string Request::obstacle_of(std::size_t i) const {
  const TokenIds& prompt = prompts_[i];
  if (prompt.empty()) return "the prompt is empty; expected at least one token";
  const auto bad = std::find_if(prompt.begin(), prompt.end(),
                                [&](TokenId id) { return id < 0 || id >= info_.vocab_size; });
  if (bad != prompt.end()) {
    return fmt::format("token {} at position {} of the prompt is not in the vocabulary of {}", *bad,
                       bad - prompt.begin(), info_.vocab_size);
  }
  if (static_cast<std::int64_t>(prompt.size()) + depth(i) > info_.max_context) {
    return fmt::format(
        "the prompt has {} tokens and {} new ones were asked for, but the model's context has {} "
        "positions{}",
        prompt.size(), reach_.empty() ? n_new_tokens(i) : depth(i), info_.max_context,
        info_.max_context == info_.attention_window
            ? ", as many as its sliding window; longer texts are not supported"
            : "");
  }
  return {};
}

bool Request::is_open(std::size_t prompt) const {
  return options_.is_answered.empty() || !options_.is_answered[prompt];
}

bool Request::is_open(const PrefixSequence& sequence) const {
  return std::any_of(sequence.prompts.begin(), sequence.prompts.end(),
                     [this](std::size_t prompt) { return is_open(prompt); });
}

int Request::n_new_tokens(std::size_t prompt) const {
  return options_.n_new_tokens.empty() ? options_.stop.max_new_tokens
                                       : options_.n_new_tokens[prompt];
}

int Request::n_new_tokens(const PrefixSequence& sequence) const {
  if (!reach_.empty()) {  // equal prompts are explored one by one
    int n = 1;
    for (const std::size_t i : sequence.prompts) n += reach(i).n_places;
    return n;
  }
  int n_most = 0;
  for (const std::size_t i : sequence.prompts) n_most = std::max(n_most, n_new_tokens(i));
  return n_most;
}

Reach Request::reach(std::size_t prompt) const {
  return reach_[reach_.size() == 1 ? 0 : prompt];
}

std::int64_t Request::depth(std::size_t prompt) const {
  return reach_.empty() ? n_new_tokens(prompt) - 1 : reach(prompt).depth;
}

}  // namespace labelprobe::model
