// Plans that ask about one label or two and are answered by one word. Their prompts end in a space;
// the answer is read where it came, at once, and one token before that space
// (readout/word_answer.h).
#include <algorithm>
#include <set>

#include "labelprobe/core/error.h"
#include "labelprobe/core/item_id.h"
#include "labelprobe/experiment/preparation.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/python/text.h"
#include "labelprobe/readout/reading.h"
#include "labelprobe/readout/word_answer.h"

#include "experiment/plans/plan_parts.h"
#include "experiment/plans/token_table.h"

namespace labelprobe::experiment {

namespace {

std::vector<std::string> words_of(const ItemForm& form) {
  return {form.words.begin(), form.words.end()};
}

// The prompts end in a space, so that a word's own first token is the one without it.
readout::LabelTokens find_word_tokens(const AnswerTask& task) {
  const std::vector<std::string>& words = task.questions.answer_set.names();
  std::vector<readout::LabelContext> places;
  for (const std::string& word : words) {
    places.push_back({"\n" + word, 1, word});
  }
  readout::LabelTokens tokens =
      readout::find_label_tokens(task.tokenizer, words, places, {}, task.settings.label_variants);
  for (const TokenIds& first_tokens : tokens.first_tokens) {
    if (std::set<TokenId>(first_tokens.begin(), first_tokens.end()).size() < words.size()) {
      throw ModelError("the answers '" + words.front() + "' and '" + words.back() +
                       "' begin with the same token of this tokenizer; their probabilities cannot "
                       "be told apart");
    }
  }
  return tokens;
}

std::string_view without_last_space(std::string_view prompt) {
  LABELPROBE_CHECK(prompt.ends_with(' '));
  return prompt.substr(0, prompt.size() - 1);
}

Answers word_answers(const AnswerTask& task) {
  const readout::LabelTokens tokens = find_word_tokens(task);
  // These prompts have no chain of thought.
  const readout::AnswerRule rule = {
      task.questions.templates.label_format,
      std::string(python::strip(task.questions.templates.before_text()))};
  const tokenizer::Tokenizer& tokenizer = task.tokenizer;
  return {
      .watched = tokens.watched(),
      .is_complete =
          [has_stop = readout::stop_predicate(tokenizer, rule.stop),
           is_word =
               readout::word_predicate(tokens, tokenizer)](std::span<const TokenId> generated) {
            return is_word(generated) || has_stop(generated);
          },
      .beginning = without_last_space,
      .read =
          [tokens, rule, &tokenizer](const model::Generation& generation,
                                     const model::Generation* healed, record::ItemRecord& item) {
            readout::read_word(generation, *healed, tokens, rule, tokenizer, item);
          },
      .format = readout::format_of(LabelFormat{}, task.questions.answer_set),
      .stop = rule.stop,
      .description = describe_tokens("answer tokens (prompts end in a space, answers stand ",
                                     tokens, tokenizer)};
}

// Whether the example has the label; `none` is had by those without labels.
bool has_label(const Questions& questions, const prompt::Query& query, const std::string& name) {
  const auto label = questions.label_set.index_of(name);
  return label ? std::find(query.gold.begin(), query.gold.end(), *label) != query.gold.end()
               : query.gold.empty() && name == kNoneLabel;
}

std::optional<Labels> is_reasonable_word(const Questions& questions, const prompt::Query& query) {
  return Labels{has_label(questions, query, query.item.parts.at(0)) ? 0 : 1};
}

// Nothing is right where both labels are or neither is. (The published programs log constants
// here.)
std::optional<Labels> better_label(const Questions& questions, const prompt::Query& query) {
  const bool is_first = has_label(questions, query, query.item.parts.at(0));
  const bool is_second = has_label(questions, query, query.item.parts.at(1));
  return is_first == is_second ? std::nullopt : std::optional(Labels{is_first ? 0 : 1});
}

}  // namespace

extern constinit const Plan kUnary = {
    .name = "unary",
    .summary = "one prompt per example and label: is the label reasonable?",
    .make_queries = prompt::make_unary,
    .make_templates = user_templates,
    .answer_words = [](const Settings&) { return words_of(kUnaryItems); },
    .make_answers = word_answers,
    .when_missing = kNameNoLabel,
    .right_answer = is_reasonable_word,
    .metrics = analysis::classification_metrics,
};

extern constinit const Plan kBinary = {
    .name = "binary",
    .summary = "one prompt per example and pair of labels: which is better?",
    .make_queries = prompt::make_binary,
    .make_templates = user_templates,
    .answer_words = [](const Settings&) { return words_of(kBinaryItems); },
    .make_answers = word_answers,
    .when_missing = kNameNoLabel,
    .right_answer = better_label,
    .metrics = analysis::classification_metrics,
};

}  // namespace labelprobe::experiment
