#include "labelprobe/experiment/preparation.h"

#include <algorithm>
#include <set>
#include <utility>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/core/text.h"
#include "labelprobe/data/cot_file.h"

#include "experiment/prepare/chats.h"
#include "experiment/prepare/prior_labels.h"
#include "experiment/prepare/sentence_vectors.h"

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

data::Dataset load_test(const Settings& settings, const data::Dataset& train) {
  if (settings.test.splits.empty()) {
    throw ConfigError("no --test-splits are given: expected at least one split of " +
                      settings.task + " to ask about");
  }
  data::DatasetOptions options = settings.test;
  // As the published prompting programs do, the distribution program excepted: an annotator without
  // demonstrations cannot be asked about.
  if (settings.program != Program::Distribution && !train.annotators.empty()) {
    options.annotator_ids = train.annotators;
  }
  data::Dataset test = data::load(settings.task, options);
  if (settings.n_shots > 0 && !(train.label_set == test.label_set)) {
    throw DataError(settings.task + ": the label sets of the train and test splits differ");
  }
  if (settings.limit && *settings.limit < static_cast<std::int64_t>(test.examples.size())) {
    test.examples.resize(static_cast<std::size_t>(*settings.limit));
  }
  if (test.examples.empty()) {
    throw DataError(settings.task + ": no test items are left to ask about");
  }
  return test;
}

// Ids of unary and binary items are taken apart at underscores.
void check_label_names(const LabelSet& label_set, prompt::Plan plan) {
  if (plan != prompt::Plan::Unary && plan != prompt::Plan::Binary) {
    return;
  }
  for (const std::string& name : label_set.names()) {
    if (name.find('_') != std::string::npos) {
      throw ConfigError("the label '" + name +
                        "' has an underscore, which the ids of unary and binary items cannot hold");
    }
  }
}

prompt::PlanOptions plan_options(const Settings& settings, const prompt::Templates& templates) {
  prompt::PlanOptions plan;
  plan.mode = settings.mode;
  plan.templates = templates;
  plan.sampling = settings.sampling;
  plan.n_shots = settings.n_shots;
  plan.seed = settings.seed;
  plan.demonstrations = settings.demonstrations;
  plan.labels = settings.labels;
  plan.pair = settings.pair;
  plan.randomize_cots = settings.randomize_cots;
  if (!settings.cot_csv.empty()) {
    plan.cots = data::load_cots(settings.cot_csv);
  }
  return plan;
}

std::vector<readout::LabelContext> contexts_of(const std::vector<prompt::LabelPlace>& places) {
  std::vector<readout::LabelContext> contexts;
  for (const prompt::LabelPlace& place : places) {
    contexts.push_back({place.text, place.label_begin});
  }
  return contexts;
}

// The prompts end in a space, so that a word's own first token is the one without it.
readout::LabelTokens find_word_tokens(const Questions& questions,
                                      const Settings& settings,
                                      const tokenizer::Tokenizer& tokenizer) {
  const std::vector<std::string>& words = questions.answer_set.names();
  std::vector<readout::LabelContext> places;
  for (const std::string& word : words) {
    places.push_back({"\n" + word, 1});
  }
  readout::LabelTokens tokens =
      readout::find_label_tokens(tokenizer, words, places, {}, settings.label_variants);
  for (const TokenIds& first_tokens : tokens.first_tokens) {
    if (std::set<TokenId>(first_tokens.begin(), first_tokens.end()).size() < words.size()) {
      throw ModelError("the answers '" + words.front() + "' and '" + words.back() +
                       "' begin with the same token of this tokenizer; their probabilities cannot "
                       "be told apart");
    }
  }
  return tokens;
}

readout::LabelTokens find_label_tokens(const Questions& questions,
                                       const Settings& settings,
                                       const prompt::ChatFormat* chat,
                                       const tokenizer::Tokenizer& tokenizer) {
  if (questions.are_words) {
    return find_word_tokens(questions, settings, tokenizer);
  }
  if (settings.plan == prompt::Plan::Pair) {
    const auto& words = questions.answer_set.names();
    return readout::find_label_tokens(
        tokenizer, words, contexts_of(prompt::answer_places(questions.templates, words)), {},
        settings.label_variants);
  }
  const auto places = [&](prompt::LabelPosition position) {
    const prompt::Templates& templates = questions.templates;
    return contexts_of(
        chat ? prompt::chat_label_places(*chat, templates, questions.label_set, position)
             : prompt::label_places(templates, questions.label_set, position));
  };
  return readout::find_label_tokens(tokenizer, questions.label_set.names_with_none(),
                                    places(prompt::LabelPosition::First),
                                    places(prompt::LabelPosition::Later), settings.label_variants);
}

}  // namespace

Questions make_questions(const Settings& settings) {
  check_chat_settings(settings);
  data::Dataset train = load_train(settings);
  data::Dataset test = load_test(settings, train);
  check_label_names(test.label_set, settings.plan);
  read_prior_labels(settings.train_prior, test.label_set, train.examples);
  read_prior_labels(settings.test_prior, test.label_set, test.examples);
  Questions questions;
  questions.label_set = test.label_set;
  const std::vector<std::string> words = prompt::answer_words(settings.plan, settings.pair);
  questions.answer_set = words.empty() ? test.label_set : LabelSet(words, LabelKind::SingleLabel);
  questions.are_words =
      settings.plan == prompt::Plan::Unary || settings.plan == prompt::Plan::Binary;
  for (const data::Dataset* set : {&train, &test}) {
    for (const data::SourceFile& file : set->notes.files) {
      questions.data_files[file.path.string()] = file.fingerprint;
    }
  }
  append(questions.warnings, train.notes.warnings);
  append(questions.warnings, test.notes.warnings);
  prompt::TemplateOptions templates = settings.templates;
  if (settings.mode == prompt::PromptMode::Chat) {
    templates.incontext.reset();  // a chat's demonstrations are made of the other two
  }
  if (settings.plan == prompt::Plan::Pair) {
    templates.pair_words = words;
  }
  questions.templates = prompt::Templates::resolve(templates, test.label_set);
  prompt::PlanOptions plan = plan_options(settings, questions.templates);
  SentenceVectors sentences = make_sentence_vectors(settings, train.examples, test.examples);
  plan.vectors = std::move(sentences.vectors);
  questions.encoder_fingerprint = std::move(sentences.fingerprint);
  questions.queries =
      prompt::make_queries(settings.plan, train.examples, test.examples, test.label_set, plan);
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

Preparation prepare(const Settings& asked, const tokenizer::Tokenizer& tokenizer) {
  Settings settings = asked;
  settings.labels.n_tokens = [&tokenizer](std::string_view label) {
    return static_cast<int>(tokenizer.encode(label, tokenizer::SpecialTokens::Omit).size());
  };
  Preparation ready;
  check_chat_settings(settings);
  std::optional<prompt::ChatFormat> chat;
  if (settings.mode == prompt::PromptMode::Chat) {
    chat = chat_format(settings, tokenizer);
    ready.end_ids = {*tokenizer.special_id(chat->special_tokens().back())};
  }
  ready.questions = make_questions(settings);
  ready.warnings = ready.questions.warnings;
  Fingerprint contents;
  contents.add(tokenizer.fingerprint());
  if (!ready.questions.encoder_fingerprint.empty()) {
    contents.add(ready.questions.encoder_fingerprint);
  }
  std::size_t n_spelled = 0;
  for (prompt::Query& query : ready.questions.queries) {
    if (chat) {
      prompt::ChatText rendered = chat->render(query.messages, prompt::ChatEnd::AnswerHeader);
      bool has_spelled = false;
      ready.prompts.push_back(encode_chat(rendered, tokenizer, has_spelled));
      n_spelled += has_spelled ? 1 : 0;
      query.text = std::move(rendered.text);
    } else {
      ready.prompts.push_back(tokenizer.encode(query.text, tokenizer::SpecialTokens::Add));
    }
    if (ready.questions.are_words) {
      LABELPROBE_CHECK(query.text.ends_with(' '));
      ready.healed_prompts.push_back(
          tokenizer.encode(std::string_view(query.text).substr(0, query.text.size() - 1),
                           tokenizer::SpecialTokens::Add));
    }
    contents.add(query.item.id());
    contents.add(query.text);
  }
  ready.contents_fingerprint = contents.hex();
  ready.token_counts = count_tokens(ready.prompts);
  ready.label_tokens =
      find_label_tokens(ready.questions, settings, chat ? &*chat : nullptr, tokenizer);
  if (n_spelled > 0) {
    ready.warnings.push_back(std::to_string(n_spelled) +
                             " prompts have texts that spell special tokens of the model; there "
                             "they are ordinary text");
  }
  if (!ready.questions.are_words) {
    append(ready.warnings, readout::describe_problems(ready.label_tokens, tokenizer));
  }
  ready.answer_rule = {
      settings.plan == prompt::Plan::Pair ? LabelFormat{} : ready.questions.templates.label_format,
      chat ? "" : std::string(strip(ready.questions.templates.before_text())),
      ready.questions.are_words ? std::nullopt  // their prompts have no chain of thought
                                : ready.questions.templates.between_cot_and_label(),
      settings.plan == prompt::Plan::Pair ? readout::AnswerKind::Word
                                          : readout::AnswerKind::Labels};
  return ready;
}

}  // namespace labelprobe::experiment
