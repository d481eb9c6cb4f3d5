// Plans whose answers list labels of the data set, in prompts made of the user's templates.
#include "labelprobe/experiment/preparation.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/python/text.h"
#include "labelprobe/readout/answer_draft.h"
#include "labelprobe/readout/reading.h"

#include "experiment/plans/plan_parts.h"
#include "experiment/plans/token_table.h"

namespace labelprobe::experiment {

namespace {

// More answers than this are not worth the search; their labels' names are then drafted one by one.
constexpr std::size_t kMaxDraftedPairs = 1000;

// Demonstrations with each label, and with each two, the next one begun: as answers may go on.
std::function<TokenIds(std::span<const TokenId>)> draft_of(const AnswerTask& task) {
  const Questions& questions = task.questions;
  const prompt::Templates& templates = questions.templates;
  if (templates.incontext.empty()) {
    return {};
  }
  std::vector<std::string> answers;
  const auto add = [&](const std::vector<std::string>& names) {
    const std::string label =
        prompt::format_labels(names, questions.label_set.kind(), templates.label_format);
    answers.push_back(prompt::fill_incontext(templates, "text", label) + templates.before_text());
  };
  const std::vector<std::string>& names = questions.label_set.names();
  for (const std::string& name : names) {
    add({name});
  }
  if (questions.label_set.is_multilabel()) {
    add({});
    for (const std::string& a : names) {
      for (const std::string& b : names) {
        if (a != b && names.size() * names.size() <= kMaxDraftedPairs) {
          add({a, b});
        }
      }
    }
  }
  return readout::AnswerDraft(task.tokenizer, answers);
}

readout::LabelTokens find_tokens(const AnswerTask& task) {
  const auto places = [&](prompt::LabelPosition position) {
    const prompt::Templates& templates = task.questions.templates;
    const LabelSet& label_set = task.questions.label_set;
    return contexts_of(task.chat
                           ? prompt::chat_label_places(*task.chat, templates, label_set, position)
                           : prompt::label_places(templates, label_set, position));
  };
  return readout::find_label_tokens(task.tokenizer, task.questions.label_set.names_with_none(),
                                    places(prompt::LabelPosition::First),
                                    places(prompt::LabelPosition::Later),
                                    task.settings.label_variants);
}

Answers label_answers(const AnswerTask& task) {
  const prompt::Templates& templates = task.questions.templates;
  const readout::LabelTokens tokens = find_tokens(task);
  const readout::AnswerRule rule = {
      templates.label_format, task.chat ? "" : std::string(python::strip(templates.before_text())),
      templates.between_cot_and_label(), task.settings.parser};
  const tokenizer::Tokenizer& tokenizer = task.tokenizer;
  const LabelSet& labels = task.questions.label_set;
  return {
      .watched = tokens.watched(),
      .is_complete = readout::stop_predicate(tokenizer, rule.stop),
      .draft = draft_of(task),
      .read =
          [tokens, rule, labels, &tokenizer](const model::Generation& generation,
                                             const model::Generation*, record::ItemRecord& item) {
            readout::read(generation, tokens, rule, labels, tokenizer, item);
          },
      .format = rule.cot_marker ? std::optional<readout::AnswerFormat>()
                                : readout::format_of(rule.label_format, labels),
      .stop = rule.stop,
      .description =
          describe_tokens("label tokens (in the template labels stand ", tokens, tokenizer),
      .warnings = readout::describe_problems(tokens, tokenizer)};
}

std::map<std::string, double> plain_metrics(std::span<const analysis::LabelledPair> pairs,
                                            const LabelSet& label_set) {
  return label_set.is_multilabel() ? analysis::classification_metrics(pairs, label_set)
                                   : analysis::single_label_metrics(pairs, label_set);
}

}  // namespace

prompt::Templates user_templates(const Settings& settings, const LabelSet& label_set) {
  prompt::TemplateOptions options = settings.templates;
  if (settings.mode == prompt::PromptMode::Chat) {
    options.incontext.reset();  // a chat's demonstrations are made of the other two
    if (!options.user) options.user = "{text}";
  }
  return prompt::Templates::resolve(options, label_set);
}

std::optional<Labels> gold_labels(const Questions&, const prompt::Query& query) {
  return query.gold;
}

extern constinit const Plan kBaseline = {
    .name = "baseline",
    .summary = "one completion prompt per example: instruction, demonstrations, query",
    .make_queries = prompt::make_baseline,
    .make_templates = user_templates,
    .can_chat = true,
    .lists_labels = true,
    .make_answers = label_answers,
    .when_missing = kNameNoLabel,
    .right_answer = gold_labels,
    .metrics = analysis::classification_metrics,
};

extern constinit const Plan kMultilabelIcl = {
    .name = "multilabel_ICL",
    .summary =
        "six baseline prompts per example, with 0, 1/5, ... 1 of the demonstrations having "
        "several labels",
    .other_name = "multilabel_icl",  // in the published README
    .make_queries = prompt::make_multilabel_icl,
    .make_templates = user_templates,
    .can_chat = true,
    .samples_by_itself = true,
    .lists_labels = true,
    .make_answers = label_answers,
    .when_missing = kNameNoLabel,
    .right_answer = gold_labels,
    .metrics = analysis::classification_metrics,
};

extern constinit const Plan kClassify = {
    .name = "classify",
    .summary = "baseline prompts, annotators' items beside the aggregate's",
    .is_distribution = false,
    .make_queries = prompt::make_baseline,
    .make_templates = user_templates,
    .can_chat = true,
    .asks_known_annotators = true,
    .lists_labels = true,
    .make_answers = label_answers,
    .when_missing = kNameNoLabel,
    .right_answer = gold_labels,
    .metrics = plain_metrics,
    .layout = record::kPlainLayout,
};

}  // namespace labelprobe::experiment
