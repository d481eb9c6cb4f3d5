#include "weights/checkpoint/config_generation.h"

#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"

namespace labelprobe::weights {
namespace {

using nlohmann::json;

// Settings that change greedy answers or their logits in ways that are not computed here, with the
// only values that change nothing besides null.
struct ForeignRule {
  std::string_view key;
  std::string_view neutral;  // as JSON
};

constexpr std::array kForeignRules = {
    ForeignRule{"num_beams", "1"},
    ForeignRule{"num_beam_groups", "1"},
    ForeignRule{"penalty_alpha", "0.0"},
    ForeignRule{"dola_layers", "null"},
    ForeignRule{"guidance_scale", "1.0"},
    ForeignRule{"encoder_repetition_penalty", "1.0"},
    ForeignRule{"encoder_no_repeat_ngram_size", "0"},
    ForeignRule{"exponential_decay_length_penalty", "null"},
    ForeignRule{"renormalize_logits", "false"},
    ForeignRule{"watermarking_config", "null"},
    ForeignRule{"token_healing", "false"},
    ForeignRule{"constraints", "null"},
    ForeignRule{"force_words_ids", "null"},
    ForeignRule{"forced_decoder_ids", "null"},
    ForeignRule{"stop_strings", "null"},
    ForeignRule{"max_time", "null"},
};

void refuse_foreign_rules(const files::JsonView& config) {
  for (const ForeignRule& rule : kForeignRules) {
    if (config.has(rule.key) && config.at(rule.key).value() != json::parse(rule.neutral) &&
        !(config.at(rule.key).value().is_array() && config.at(rule.key).value().empty())) {
      config.at(rule.key).fail_expected(fmt::format(
          "{} (it changes greedy answers and is not computed here; take it out to run without it)",
          rule.neutral));
    }
  }
}

TokenId read_id(const files::JsonView& id, int vocab_size) {
  return static_cast<TokenId>(id.integer(0, vocab_size - 1));
}

// One id, or a list of them; nothing for null.
TokenIds read_ids(const files::JsonView& held, int vocab_size) {
  TokenIds ids;
  if (held.value().is_array()) {
    for (const files::JsonView& id : held.items()) {
      ids.push_back(read_id(id, vocab_size));
    }
  } else if (!held.is_null()) {
    ids.push_back(read_id(held, vocab_size));
  }
  return ids;
}

TokenIds read_sequence(const files::JsonView& held, int vocab_size) {
  if (!held.value().is_array() || held.value().empty()) {
    held.fail_expected("a list of token ids");
  }
  return read_ids(held, vocab_size);
}

std::vector<SequenceBias> read_biases(const files::JsonView& held, int vocab_size) {
  std::vector<SequenceBias> biases;
  if (held.is_null()) {
    return biases;
  }
  for (const files::JsonView& pair : held.items()) {
    const std::vector<files::JsonView> parts = pair.items();
    if (parts.size() != 2) {
      pair.fail_expected("a list of token ids and a number");
    }
    biases.push_back({read_sequence(parts[0], vocab_size), static_cast<float>(parts[1].number())});
  }
  return biases;
}

int count_or_none(const files::JsonView& config, std::string_view key) {
  return config.has(key)
             ? static_cast<int>(config.at(key).integer(0, std::numeric_limits<std::int32_t>::max()))
             : 0;
}

}  // namespace

void read_end_ids(const files::JsonView& config, DecoderConfig& decoder) {
  if (!config.has("eos_token_id")) {
    return;
  }
  const json& held = config.at("eos_token_id").value();
  decoder.end_ids.clear();
  for (const json& id : held.is_array() ? held : json::array({held})) {
    // transformers writes -1 where a model has no end of text.
    if (id == -1) {
      continue;
    }
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= limits::kModelDimension) {
      config.at("eos_token_id")
          .fail_expected(fmt::format("token ids below {}", limits::kModelDimension));
    }
    decoder.end_ids.push_back(id.get<TokenId>());
  }
}

GenerationRules read_generation_rules(const files::JsonView& config, int vocab_size) {
  refuse_foreign_rules(config);
  GenerationRules rules;
  rules.sequence_bias = read_biases(config.find("sequence_bias"), vocab_size);
  if (config.has("repetition_penalty")) {
    rules.repetition_penalty = config.at("repetition_penalty").number();
    if (!(rules.repetition_penalty > 0.0)) {
      config.at("repetition_penalty").fail_expected("a number above 0");
    }
  }
  rules.no_repeat_ngram_size = count_or_none(config, "no_repeat_ngram_size");
  if (const files::JsonView words = config.find("bad_words_ids"); !words.is_null()) {
    for (const files::JsonView& word : words.items()) {
      rules.bad_words_ids.push_back(read_sequence(word, vocab_size));
    }
  }
  rules.min_length = count_or_none(config, "min_length");
  rules.min_new_tokens = count_or_none(config, "min_new_tokens");
  rules.forced_bos_token_id = read_ids(config.find("forced_bos_token_id"), vocab_size);
  if (rules.forced_bos_token_id.size() > 1) {
    config.at("forced_bos_token_id").fail_expected("one token id");
  }
  rules.forced_eos_token_id = read_ids(config.find("forced_eos_token_id"), vocab_size);
  rules.suppress_tokens = read_ids(config.find("suppress_tokens"), vocab_size);
  rules.begin_suppress_tokens = read_ids(config.find("begin_suppress_tokens"), vocab_size);
  return rules;
}

}  // namespace labelprobe::weights
