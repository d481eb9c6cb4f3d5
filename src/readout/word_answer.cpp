#include "labelprobe/readout/word_answer.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <optional>

#include "labelprobe/readout/reading.h"

#include "readout/step_values.h"

namespace labelprobe::readout {

namespace {

const TokenIds& tokens_of(const LabelTokens& words, SpaceVariant variant) {
  return words.first_tokens[static_cast<std::size_t>(variant)];
}

// The variant in which `token` begins an answer word, the one without a space first: a tokenizer
// that keeps spaces apart has one token for both.
std::optional<SpaceVariant> variant_begun(const LabelTokens& words, TokenId token) {
  for (const SpaceVariant variant : {SpaceVariant::Bare, SpaceVariant::Spaced}) {
    const TokenIds& tokens = tokens_of(words, variant);
    const bool counts = variant == SpaceVariant::Bare || words.variants == LabelVariants::Both;
    if (counts && std::find(tokens.begin(), tokens.end(), token) != tokens.end()) {
      return variant;
    }
  }
  return std::nullopt;
}

// Whether generated token `t` stands inside a word, as the `reason` of `Unreasonable` does: what it
// begins is then no answer. The prompts end in a space, so the first token never does.
bool is_inside_word(std::span<const TokenId> token_ids,
                    std::size_t t,
                    const tokenizer::Tokenizer& tokenizer) {
  if (t == 0) {
    return false;
  }
  const std::string before = tokenizer.token_bytes(token_ids[t - 1]);
  if (before.empty()) {
    return false;
  }
  const auto last = static_cast<unsigned char>(before.back());
  return last >= 0x80 || (std::isalnum(last) != 0);  // bytes of other scripts' letters
}

// The variant in which generated token `t` answers; LabelVariants::Strict looks at the one token
// alone, as published.
std::optional<SpaceVariant> answer_begun(const LabelTokens& words,
                                         std::span<const TokenId> token_ids,
                                         std::size_t t,
                                         const tokenizer::Tokenizer& tokenizer) {
  const auto variant = variant_begun(words, token_ids[t]);
  const bool is_mistaken = variant == SpaceVariant::Bare && words.variants == LabelVariants::Both &&
                           is_inside_word(token_ids, t, tokenizer);
  return is_mistaken ? std::nullopt : variant;
}

record::LabelValues vocabulary_probs(const model::Step& step,
                                     const LabelTokens& words,
                                     SpaceVariant variant) {
  std::vector<float> numbers = logits_at(step, words.watched(), tokens_of(words, variant));
  for (float& number : numbers) {
    number = std::exp(number - step.log_sum_exp);
  }
  return with_names(words.names, numbers);
}

record::AnswerReading read_step(const model::Step& step, const LabelTokens& words) {
  record::LabelValues spaced = vocabulary_probs(step, words, SpaceVariant::Spaced);
  for (std::size_t i = 0; i < spaced.size(); ++i) {
    if (tokens_of(words, SpaceVariant::Spaced)[i] == tokens_of(words, SpaceVariant::Bare)[i]) {
      spaced[i].second = 0.0F;  // counted already
    }
  }
  return {vocabulary_probs(step, words, SpaceVariant::Bare), std::move(spaced),
          !step.top_tokens.empty() && variant_begun(words, step.top_tokens.front().id).has_value()};
}

// The words that `token` begins: more than one if they share it.
std::vector<std::string> words_begun(const LabelTokens& words,
                                     TokenId token,
                                     SpaceVariant variant) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < words.names.size(); ++i) {
    if (tokens_of(words, variant)[i] == token) {
      names.push_back(words.names[i]);
    }
  }
  return names;
}

// Label step, reading and prediction where the answer word begins.
void read_word_at(const model::Generation& generation,
                  std::size_t step,
                  SpaceVariant variant,
                  const LabelTokens& words,
                  const tokenizer::Tokenizer& tokenizer,
                  record::ItemRecord& item) {
  item.label_steps = {make_label_step(generation, step, variant, words, tokenizer)};
  item.greedy_answer = read_step(generation.steps[step], words);
  // A token that begins several words names none of them.
  if (const auto names = words_begun(words, generation.token_ids[step], variant);
      names.size() == 1) {
    item.predictions = names;
  }
}

}  // namespace

std::function<bool(std::span<const TokenId>)> word_predicate(
    const LabelTokens& words, const tokenizer::Tokenizer& tokenizer) {
  return [words, &tokenizer](std::span<const TokenId> token_ids) {
    return !token_ids.empty() &&
           answer_begun(words, token_ids, token_ids.size() - 1, tokenizer).has_value();
  };
}

void read_word(const model::Generation& generation,
               const model::Generation& healed,
               const LabelTokens& words,
               const AnswerRule& rule,
               const tokenizer::Tokenizer& tokenizer,
               record::ItemRecord& item) {
  if (generation.failure || healed.failure) {
    item.failure = generation.failure ? generation.failure : healed.failure;
    return;
  }
  const Answer answer = split_answer(tokenizer.decode(generation.token_ids), rule);
  item.outs = answer.outs;
  item.residual_outs = answer.residual_outs;
  const std::size_t n_answer = count_answer_tokens(generation.token_ids, rule.stop, tokenizer);
  item.outs_ids.assign(generation.token_ids.begin(),
                       generation.token_ids.begin() + static_cast<std::ptrdiff_t>(n_answer));
  for (std::size_t step = 0; step < n_answer && !item.is_label_found(); ++step) {
    if (const auto variant = answer_begun(words, item.outs_ids, step, tokenizer)) {
      read_word_at(generation, step, *variant, words, tokenizer, item);
    }
  }
  if (!generation.steps.empty()) {
    item.first_answer = read_step(generation.steps.front(), words);
  }
  if (!item.is_label_found()) {
    item.stand_in_probs = uniform_probs(words.names);
    if (!generation.steps.empty()) {
      item.opening_tokens = likely_tokens(generation.steps.front(), tokenizer);
    }
  }
  if (!healed.steps.empty()) {
    item.healed_answer = read_step(healed.steps.front(), words);
  }
}

}  // namespace labelprobe::readout
