// The plan that shows each text with a label and asks whether it is reasonable, as the published
// pair prompting does: one word answers, where the user's template has it.
#include "labelprobe/experiment/preparation.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/python/text.h"
#include "labelprobe/readout/reading.h"

#include "experiment/plans/plan_parts.h"
#include "experiment/plans/token_table.h"

namespace labelprobe::experiment {

namespace {

std::vector<std::string> words_of(const Settings& settings) {
  return prompt::pair_words(settings.pair);
}

prompt::Templates pair_templates(const Settings& settings, const LabelSet& label_set) {
  prompt::TemplateOptions options = settings.templates;
  options.pair_words = words_of(settings);
  return prompt::Templates::resolve(options, label_set);
}

Answers pair_answers(const AnswerTask& task) {
  const prompt::Templates& templates = task.questions.templates;
  const LabelSet& words = task.questions.answer_set;
  const tokenizer::Tokenizer& tokenizer = task.tokenizer;
  const readout::LabelTokens tokens = readout::find_label_tokens(
      tokenizer, words.names(), contexts_of(prompt::answer_places(templates, words.names())), {},
      task.settings.label_variants);
  const readout::AnswerRule rule = {
      LabelFormat{}, std::string(python::strip(templates.before_text())),
      templates.between_cot_and_label(), readout::Parser::Words, readout::predict_word};
  return {
      .watched = tokens.watched(),
      .is_complete = readout::stop_predicate(tokenizer, rule.stop),
      .read =
          [tokens, rule, words, &tokenizer](const model::Generation& generation,
                                            const model::Generation*, record::ItemRecord& item) {
            readout::read(generation, tokens, rule, words, tokenizer, item);
          },
      .format = rule.cot_marker ? std::optional<readout::AnswerFormat>()
                                : readout::format_of(rule.label_format, words),
      .stop = rule.stop,
      .description =
          describe_tokens("label tokens (in the template labels stand ", tokens, tokenizer),
      .warnings = readout::describe_problems(tokens, tokenizer)};
}

// Every label asked about counts as a right one.
std::optional<Labels> is_reasonable(const Questions& questions, const prompt::Query&) {
  return Labels{questions.answer_set.size() - 1};
}

}  // namespace

extern constinit const Plan kAssess = {
    .name = "assess",
    .summary = "one prompt per example and label shown with it: is it reasonable?",
    .is_distribution = false,
    .make_queries = prompt::make_pairs,
    .make_templates = pair_templates,
    .shows_labels = true,
    .asks_known_annotators = true,
    .answer_words = words_of,
    .make_answers = pair_answers,
    .when_missing = kNameNoLabel,
    .right_answer = is_reasonable,
    .metrics = [](std::span<const analysis::LabelledPair> pairs,
                  const LabelSet&) { return analysis::pair_metrics(pairs); },
    .logs_right_answer = true,
    .layout = record::kPlainLayout,
    .category_ending = "Reason",
};

}  // namespace labelprobe::experiment
