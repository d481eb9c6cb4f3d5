#include "model/engine/request.h"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::model {

Request::Request(std::span<const TokenIds> prompts,
                 const GenerateOptions& options,
                 const ModelInfo& info)
    : prompts_(prompts), options_(options), info_(info) {
  LABELPROBE_CHECK(options.is_answered.empty() || options.is_answered.size() == prompts.size());
  if (options.stop.max_new_tokens < 1) {
    throw ConfigError(
        fmt::format("max_new_tokens is {}; expected at least 1", options.stop.max_new_tokens));
  }
  LABELPROBE_CHECK(options.n_new_tokens.empty() || options.n_new_tokens.size() == prompts.size());
  for (std::size_t i = 0; i < options.n_new_tokens.size(); ++i) {
    const int n = options.n_new_tokens[i];
    if (n < 1 || n > options.stop.max_new_tokens) {
      throw ConfigError(
          fmt::format("n_new_tokens of prompt {} is {}; expected 1 to max_new_tokens, which is {}",
                      i, n, options.stop.max_new_tokens));
    }
  }
  if (!(options.rules.repetition_penalty > 0)) {
    throw ConfigError(fmt::format("repetition_penalty is {}; expected a number above 0",
                                  options.rules.repetition_penalty));
  }
  for (const TokenId id : options.watched) {
    if (id < 0 || id >= info.vocab_size) {
      throw ConfigError(
          fmt::format("watched token {} is not in the vocabulary of {}", id, info.vocab_size));
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
  const std::int64_t n_needed = static_cast<std::int64_t>(prompt.size()) + n_new_tokens(i) - 1;
  if (n_needed > info_.max_context) {
    return fmt::format(
        "the prompt has {} tokens and {} new ones were asked for, but the model's context has {} "
        "positions{}",
        prompt.size(), n_new_tokens(i), info_.max_context,
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
  int n_most = 0;
  for (const std::size_t i : sequence.prompts) n_most = std::max(n_most, n_new_tokens(i));
  return n_most;
}

}  // namespace labelprobe::model
