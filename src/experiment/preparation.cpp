#include "labelprobe/experiment/preparation.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/core/text.h"

namespace labelprobe::experiment {

namespace {

void append(std::vector<std::string>& to, const std::vector<std::string>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

std::size_t common_prefix(const TokenIds& a, const TokenIds& b) {
  const std::size_t shorter = std::min(a.size(), b.size());
  std::size_t n = 0;
  while (n < shorter && a[n] == b[n]) {
    ++n;
  }
  return n;
}

data::Dataset load_train(const Settings& settings) {
  if (settings.n_shots == 0) {
    return {};
  }
  if (settings.train.splits.empty()) {
    throw ConfigError("--shot " + std::to_string(settings.n_shots) +
                      " needs demonstrations, but no --train-splits are given");
  }
  return data::load(settings.task, settings.train);
}

std::vector<readout::LabelContext> label_contexts(const Questions& questions,
                                                  prompt::LabelPosition position) {
  std::vector<readout::LabelContext> contexts;
  for (const prompt::LabelPlace& place :
       prompt::label_places(questions.templates, questions.label_set, position)) {
    contexts.push_back({place.text, place.label_begin});
  }
  return contexts;
}

readout::LabelTokens find_label_tokens(const Questions& questions,
                                       const Settings& settings,
                                       const tokenizer::Tokenizer& tokenizer) {
  return readout::find_label_tokens(tokenizer, questions.label_set.names_with_none(),
                                    label_contexts(questions, prompt::LabelPosition::First),
                                    label_contexts(questions, prompt::LabelPosition::Later),
                                    settings.label_variants);
}

}  // namespace

Questions make_questions(const Settings& settings) {
  if (settings.test.splits.empty()) {
    throw ConfigError("no --test-splits are given: expected at least one split of " +
                      settings.task + " to ask about");
  }
  const data::Dataset train = load_train(settings);
  data::Dataset test = data::load(settings.task, settings.test);
  if (settings.n_shots > 0 && !(train.label_set == test.label_set)) {
    throw DataError(settings.task + ": the label sets of the train and test splits differ");
  }
  Questions questions;
  questions.label_set = test.label_set;
  append(questions.warnings, train.notes.warnings);
  append(questions.warnings, test.notes.warnings);
  if (settings.limit && *settings.limit < static_cast<std::int64_t>(test.examples.size())) {
    test.examples.resize(static_cast<std::size_t>(*settings.limit));
  }
  if (test.examples.empty()) {
    throw DataError(settings.task + ": no test items are left to ask about");
  }
  questions.templates = prompt::Templates::resolve(settings.templates, test.label_set);
  prompt::PlanOptions plan;
  plan.templates = questions.templates;
  plan.sampling = settings.sampling;
  plan.n_shots = settings.n_shots;
  plan.seed = settings.seed;
  plan.demonstrations = settings.demonstrations;
  questions.queries = prompt::make_queries(prompt::Plan::Baseline, train.examples, test.examples,
                                           test.label_set, plan);
  return questions;
}

TokenCounts count_tokens(const std::vector<TokenIds>& prompts) {
  TokenCounts counts;
  std::vector<const TokenIds*> sorted;
  for (const TokenIds& prompt : prompts) {
    counts.n_prompt_tokens += static_cast<std::int64_t>(prompt.size());
    counts.longest_prompt =
        std::max(counts.longest_prompt, static_cast<std::int64_t>(prompt.size()));
    sorted.push_back(&prompt);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const TokenIds* a, const TokenIds* b) { return *a < *b; });
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const std::size_t n_shared = i == 0 ? 0 : common_prefix(*sorted[i - 1], *sorted[i]);
    counts.n_distinct_tokens += static_cast<std::int64_t>(sorted[i]->size() - n_shared);
  }
  if (!sorted.empty()) {
    counts.n_shared_prefix =
        static_cast<std::int64_t>(common_prefix(*sorted.front(), *sorted.back()));
  }
  return counts;
}

Preparation prepare(const Settings& settings, const tokenizer::Tokenizer& tokenizer) {
  Preparation ready;
  ready.questions = make_questions(settings);
  ready.warnings = ready.questions.warnings;
  Fingerprint contents;
  contents.add(tokenizer.fingerprint());
  for (const prompt::Query& query : ready.questions.queries) {
    ready.prompts.push_back(tokenizer.encode(query.text, tokenizer::SpecialTokens::Add));
    contents.add(query.item.id());
    contents.add(query.text);
  }
  ready.contents_fingerprint = contents.hex();
  ready.token_counts = count_tokens(ready.prompts);
  ready.label_tokens = find_label_tokens(ready.questions, settings, tokenizer);
  append(ready.warnings, readout::describe_problems(ready.label_tokens, tokenizer));
  ready.answer_rule = {ready.questions.templates.label_format,
                       std::string(strip(ready.questions.templates.before_text())),
                       ready.questions.templates.between_cot_and_label()};
  return ready;
}

}  // namespace labelprobe::experiment
