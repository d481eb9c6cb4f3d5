#include "labelprobe/weights/generation_rules.h"

#include <nlohmann/json.hpp>

namespace labelprobe::weights {

std::string describe(const GenerationRules& rules) {
  std::string text;
  const auto add = [&](const char* name, bool is_in_force, const nlohmann::json& value) {
    if (is_in_force) {
      text.append(text.empty() ? "" : ", ").append(name).append(" ").append(value.dump());
    }
  };
  nlohmann::json biases = nlohmann::json::array();
  for (const SequenceBias& one : rules.sequence_bias) {
    biases.push_back({one.tokens, one.bias});
  }
  add("sequence_bias", !biases.empty(), biases);
  add("repetition_penalty", rules.repetition_penalty != 1.0, rules.repetition_penalty);
  add("no_repeat_ngram_size", rules.no_repeat_ngram_size > 0, rules.no_repeat_ngram_size);
  add("bad_words_ids", !rules.bad_words_ids.empty(), rules.bad_words_ids);
  add("min_length", rules.min_length > 0, rules.min_length);
  add("min_new_tokens", rules.min_new_tokens > 0, rules.min_new_tokens);
  add("forced_bos_token_id", !rules.forced_bos_token_id.empty(), rules.forced_bos_token_id);
  add("forced_eos_token_id", !rules.forced_eos_token_id.empty(), rules.forced_eos_token_id);
  add("suppress_tokens", !rules.suppress_tokens.empty(), rules.suppress_tokens);
  add("begin_suppress_tokens", !rules.begin_suppress_tokens.empty(), rules.begin_suppress_tokens);
  return text;
}

}  // namespace labelprobe::weights
