#include "model/engine/request.h"

#include <algorithm>
#include <cstdint>

#include "labelprobe/core/error.h"

namespace labelprobe::model {

Request::Request(std::span<const TokenIds> prompts,
                 const GenerateOptions& options,
                 const ModelInfo& info)
    : prompts_(prompts), options_(options), info_(info) {
  LABELPROBE_CHECK(options.is_answered.empty() || options.is_answered.size() == prompts.size());
  if (options.stop.max_new_tokens < 1) {
    throw ConfigError("max_new_tokens is " + std::to_string(options.stop.max_new_tokens) +
                      "; expected at least 1");
  }
  LABELPROBE_CHECK(options.n_new_tokens.empty() || options.n_new_tokens.size() == prompts.size());
  for (std::size_t i = 0; i < options.n_new_tokens.size(); ++i) {
    const int n = options.n_new_tokens[i];
    if (n < 1 || n > options.stop.max_new_tokens) {
      throw ConfigError("n_new_tokens of prompt " + std::to_string(i) + " is " + std::to_string(n) +
                        "; expected 1 to max_new_tokens, which is " +
                        std::to_string(options.stop.max_new_tokens));
    }
  }
  if (!(options.rules.repetition_penalty > 0)) {
    throw ConfigError("repetition_penalty is " + std::to_string(options.rules.repetition_penalty) +
                      "; expected a number above 0");
  }
  for (const TokenId id : options.watched) {
    if (id < 0 || id >= info.vocab_size) {
      throw ConfigError("watched token " + std::to_string(id) + " is not in the vocabulary of " +
                        std::to_string(info.vocab_size));
    }
  }
}

std::string Request::obstacle_of(std::size_t i) const {
  const TokenIds& prompt = prompts_[i];
  if (prompt.empty()) return "the prompt is empty; expected at least one token";
  const auto bad = std::find_if(prompt.begin(), prompt.end(),
                                [&](TokenId id) { return id < 0 || id >= info_.vocab_size; });
  if (bad != prompt.end()) {
    return "token " + std::to_string(*bad) + " at position " +
           std::to_string(bad - prompt.begin()) + " of the prompt is not in the vocabulary of " +
           std::to_string(info_.vocab_size);
  }
  const std::int64_t n_needed = static_cast<std::int64_t>(prompt.size()) + n_new_tokens(i) - 1;
  if (n_needed > info_.max_context) {
    return "the prompt has " + std::to_string(prompt.size()) + " tokens and " +
           std::to_string(n_new_tokens(i)) +
           " new ones were asked for, but the model's "
           "context has " +
           std::to_string(info_.max_context) + " positions" +
           (info_.max_context == info_.attention_window
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
