#include "model/engine/request.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::model {

namespace {

// What generate() would be told.
GenerateOptions generate_options(const ExploreOptions& options) {
  GenerateOptions made = options.greedy.value_or(GenerateOptions());
  made.batch_size = options.batch_size;
  made.share_prefixes = options.share_prefixes;
  made.is_answered = options.is_answered;
  made.on_work = options.on_work;
  return made;
}

}  // namespace

Request::Request(std::span<const TokenIds> prompts, GenerateOptions options, const ModelInfo& info)
    : prompts_(prompts), options_(std::move(options)), info_(info) {
  check();
}

Request::Request(std::span<const TokenIds> prompts,
                 const ExploreOptions& options,
                 const ModelInfo& info)
    : prompts_(prompts), options_(generate_options(options)), info_(info), reach_(options.reach) {
  LABELPROBE_CHECK(reach_.size() == 1 || reach_.size() == prompts.size());
  for (const Reach& reach : reach_) {
    LABELPROBE_CHECK(reach.depth >= 0 && reach.depth <= reach.n_places);
  }
  for (const TokenId id : options.observe.watched) check_watched(id);
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
  for (const TokenId id : options_.watched) check_watched(id);
}

void Request::check_watched(TokenId id) const {
  if (id >= 0 && id < info_.vocab_size) return;
  throw ConfigError(
      fmt::format("watched token {} is not in the vocabulary of {}", id, info_.vocab_size));
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
        "positions",
        prompt.size(), std::max<std::int64_t>(n_new_tokens(i), depth(i)), info_.max_context);
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
  int n_most = 0;
  for (const std::size_t i : sequence.prompts) n_most = std::max(n_most, n_new_tokens(i));
  return n_most;
}

Reach Request::reach(std::size_t prompt) const {
  return reach_.empty() ? Reach() : reach_[reach_.size() == 1 ? 0 : prompt];
}

std::int64_t Request::n_behind(const PrefixSequence& sequence) const {
  std::int64_t n = n_new_tokens(sequence);
  for (const std::size_t i : sequence.prompts) n += reach(i).n_places;
  return n;
}

std::int64_t Request::depth(std::size_t prompt) const {
  return std::max(n_new_tokens(prompt) - 1, reach(prompt).depth);
}

}  // namespace labelprobe::model
