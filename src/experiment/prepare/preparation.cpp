#include "labelprobe/experiment/preparation.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/data/cot_file.h"
#include "labelprobe/data/task_file.h"
#include "labelprobe/experiment/prior_labels.h"
#include "labelprobe/record/run.h"

#include "experiment/prepare/chats.h"
#include "experiment/prepare/chosen_readouts.h"
#include "experiment/prepare/content_free.h"
#include "experiment/prepare/new_tokens.h"
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
  if (settings.plan->asks_known_annotators && !train.annotators.empty()) {
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
  const ContentFreeTexts& content_free = settings.content_free;
  if (!content_free.texts.empty() || content_free.n_of_words > 0) {
    test.examples =
        make_content_free(content_free, test.examples, test.label_set.kind(), settings.seed);
    test.notes.warnings.push_back(fmt::format(
        "{} content-free texts are asked about in place of the data set's; they have no right "
        "labels: the metrics say nothing",
        test.examples.size()));
  }
  return test;
}

prompt::QueryOptions query_options(const Settings& settings, const prompt::Templates& templates) {
  prompt::QueryOptions options;
  options.mode = settings.mode;
  options.templates = templates;
  options.sampling = settings.sampling;
  options.n_shots = settings.n_shots;
  options.seed = settings.seed;
  options.demonstrations = settings.demonstrations;
  options.own = settings.own_demonstrations;
  options.ids_are_common = !data::task_info(settings.task).has_line_numbers_as_ids;
  options.labels = settings.labels;
  options.pair = settings.pair;
  options.randomize_cots = settings.randomize_cots;
  if (!settings.cot_csv.empty()) {
    options.cots = data::load_cots(settings.cot_csv);
  }
  return options;
}

// A sentence for the templates that are given and have no part in the prompts.
void warn_of_unused_templates(const Settings& settings, std::vector<std::string>& warnings) {
  const prompt::TemplateOptions& given = settings.templates;
  std::vector<std::string> flags;
  const auto add = [&](const std::optional<std::string>& text, const char* flag) {
    if (text && *text != " ") flags.emplace_back(flag);
  };
  const bool is_own = settings.plan->has_own_templates;
  if (is_own) {
    add(given.system, "--system-prompt");
    add(given.instruction, "--instruction-prompt");
    add(given.query, "--query-prompt");
    add(given.user, "--user-prompt");
    add(given.assistant, "--assistant-prompt");
  }
  const bool is_chat = settings.mode == prompt::PromptMode::Chat;
  if (is_own || is_chat) add(given.incontext, "--incontext-prompt");
  if (flags.empty()) return;
  warnings.push_back(fmt::format(
      "{} not used: {}", fmt::join(flags, ", "),
      is_own ? fmt::format("the distribution {} has prompts of its own", settings.plan->name)
             : "chats are made of --user-prompt and --assistant-prompt"));
}

// Counts the examples whose own text, and mostly their own labels, their prompts show.
void count_demonstrated(Questions& questions, std::size_t n_examples) {
  std::set<std::string> demonstrated;
  std::string first;
  for (const prompt::Query& query : questions.queries) {
    if (!query.is_demonstrated) continue;
    const ItemId example{query.item.example_id, query.item.annotator};
    if (demonstrated.insert(example.log_key()).second && first.empty()) first = example.log_key();
  }
  questions.n_demonstrated = static_cast<std::int64_t>(demonstrated.size());
  if (!demonstrated.empty()) {
    questions.warnings.push_back(fmt::format(
        "{} of {} queries stand among their own demonstrations (the same id or text), the first is "
        "'{}': their prompts tell the answer; --exclude-query shows another example instead",
        demonstrated.size(), n_examples, first));
  }
}

}  // namespace

Questions make_questions(const Settings& settings) {
  check_chat_settings(settings);
  data::Dataset train = load_train(settings);
  data::Dataset test = load_test(settings, train);
  read_prior_labels(settings.train_prior, test.label_set, train.examples);
  read_prior_labels(settings.test_prior, test.label_set, test.examples);
  Questions questions;
  questions.label_set = test.label_set;
  const Plan& plan = *settings.plan;
  questions.answer_set = plan.answer_words
                             ? LabelSet(plan.answer_words(settings), LabelKind::SingleLabel)
                             : test.label_set;
  for (const data::Dataset* set : {&train, &test}) {
    for (const data::SourceFile& file : set->notes.files) {
      questions.data_files[file.path.string()] = file.fingerprint;
    }
  }
  append(questions.warnings, train.notes.warnings);
  append(questions.warnings, test.notes.warnings);
  questions.templates = plan.make_templates(settings, test.label_set);
  warn_of_unused_templates(settings, questions.warnings);
  prompt::QueryOptions options = query_options(settings, questions.templates);
  SentenceVectors sentences = make_sentence_vectors(settings, train.examples, test.examples);
  options.vectors = std::move(sentences.vectors);
  questions.encoder_fingerprint = std::move(sentences.fingerprint);
  questions.queries = plan.make_queries({train.examples, test.examples, test.label_set, options});
  count_demonstrated(questions, test.examples.size());
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
  std::vector<std::string> chat_warnings;
  if (settings.mode == prompt::PromptMode::Chat) {
    chat = chat_format(settings, tokenizer, chat_warnings);
    ready.end_ids = end_of_turn(*chat, tokenizer);
  }
  ready.questions = make_questions(settings);
  ready.warnings = ready.questions.warnings;
  append(ready.warnings, chat_warnings);
  ready.answers =
      settings.plan->make_answers({settings, ready.questions, tokenizer, chat ? &*chat : nullptr});
  if (settings.max_new_tokens == 0) {
    settings.max_new_tokens = tokens_of_answers(ready.questions, ready.answers, tokenizer);
  }
  ready.tokenizer = &tokenizer;
  if (!settings.readouts.names.empty()) {
    make_readouts(settings, ready.answers, tokenizer, {}, {});  // throws what is wrong with them
    ready.n_readout_tokens = places_of_readouts(settings, ready.answers);
    for (std::string& warning : readout::check(*ready.answers.format)) {
      ready.warnings.push_back(std::move(warning));
    }
  }
  ready.tokenizer_fingerprint = tokenizer.fingerprint();
  Fingerprint contents;
  contents.add(ready.tokenizer_fingerprint);
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
    if (ready.answers.beginning) {
      ready.beginnings.push_back(
          tokenizer.encode(ready.answers.beginning(query.text), tokenizer::SpecialTokens::Add));
    }
    record::check_loggable(query.item.log_key(), query.item.pseudo_annotator());
    contents.add(query.item.id());
    contents.add(query.text);
  }
  ready.contents_fingerprint = contents.hex();
  ready.token_counts = count_tokens(ready.prompts);
  if (n_spelled > 0) {
    ready.warnings.push_back(std::to_string(n_spelled) +
                             " prompts have texts that spell special tokens of the model; there "
                             "they are ordinary text");
  }
  append(ready.warnings, ready.answers.warnings);
  return ready;
}

}  // namespace labelprobe::experiment
