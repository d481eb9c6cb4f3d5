// Baseline prompts: instruction, demonstrations and query in the user's templates, as one text to
// complete or as the messages of a chat.
#include <array>
#include <memory>
#include <optional>

#include "labelprobe/core/error.h"
#include "labelprobe/python/text.h"

#include "prompt/sampling/demonstrations.h"

namespace labelprobe::prompt {

namespace {

// What all prompts with the same demonstrations begin with.
struct Beginning {
  std::string text;
  ShownExamples shown;
  std::vector<Message> messages = {};  // chats: in place of the text
};

// The instruction stands before the first question, whichever that is.
Message ask(const Templates& templates, bool is_first, std::string_view question) {
  return {Role::User, (is_first ? templates.instruction : "") + std::string(question)};
}

// Adds one demonstration.
void show(const Task& task,
          std::string_view text,
          std::string_view label,
          std::optional<std::string_view> cot,
          Beginning& beginning) {
  const Templates& templates = task.options.templates;
  if (task.options.mode == PromptMode::Completion) {
    beginning.text += fill_incontext(templates, text, label, cot);
    return;
  }
  Templates half = templates;
  const bool is_first =
      beginning.messages.empty() || beginning.messages.back().role == Role::System;
  half.incontext = templates.user;
  beginning.messages.push_back(ask(templates, is_first, fill_incontext(half, text, label, cot)));
  half.incontext = templates.assistant;
  beginning.messages.push_back({Role::Assistant, fill_incontext(half, text, label, cot)});
}

Beginning begin_prompt(const Task& task,
                       const WriteAnswer& write_answer,
                       const std::vector<Demonstration>& demonstrations,
                       const ChainsOfThought& cots,
                       python::Random& random) {
  const Templates& templates = task.options.templates;
  Beginning beginning{templates.system + templates.instruction, examples_of(demonstrations)};
  if (!templates.system.empty()) {
    beginning.messages.push_back({Role::System, templates.system});
  }
  for (const Demonstration& shown : demonstrations) {
    show(task, shown.example->text, write_answer(shown.labels), cots.draw(*shown.example, random),
         beginning);
  }
  return beginning;
}

void expect_placeholder(std::string_view name,
                        std::string_view placeholder,
                        const std::string& text) {
  if (text.find(placeholder) == std::string::npos) {
    throw ConfigError(std::string(name) + " template: expected the placeholder " +
                      std::string(placeholder) + ", found none in '" + text + "'");
  }
}

const Task& checked(const Task& task) {
  if (task.options.mode == PromptMode::Chat) {
    expect_placeholder("user", "{text}", task.options.templates.user);
    expect_placeholder("assistant", "{label}", task.options.templates.assistant);
  }
  return task;
}

// The prompts of one sampling strategy, query after query.
class Completions {
 public:
  Completions(const Task& task, SamplingStrategy strategy, WriteAnswer write_answer)
      : task_(checked(task)),
        write_answer_(std::move(write_answer)),
        draws_(task, strategy),
        cots_(task.options),
        beginnings_(task, strategy, [this](python::Random& random, const DrawRequest& request) {
          const std::vector<Demonstration> shown = draws_.draw(random, request);
          return begin_prompt(task_, write_answer_, shown, cots_, random);
        }) {}
  Completions(const Completions&) = delete;  // the function made above holds on to this
  Completions& operator=(const Completions&) = delete;

  Query next(const Example& example) {
    const Beginning& beginning = beginnings_.next();
    Query query = start_query(example, beginning.shown, task_.options);
    const Templates& templates = task_.options.templates;
    const std::string question = fill_query(templates, example.text);
    if (task_.options.mode == PromptMode::Chat) {
      query.messages = beginning.messages;
      query.messages.push_back(ask(templates, beginning.shown.empty(), question));
      return query;
    }
    const std::string whole = beginning.text + question;
    query.text = python::strip(whole);
    return query;
  }

  TrainingText next_with_labels(const Example& example) {
    const Beginning& beginning = beginnings_.next();
    return {start_query(example, beginning.shown, task_.options).item,
            beginning.text + fill_query(task_.options.templates, example.text) +
                write_answer_(example.labels)};
  }

 private:
  const Task& task_;
  WriteAnswer write_answer_;
  DemonstrationDraws draws_;
  ChainsOfThought cots_;
  PerQuery<Beginning> beginnings_;
};

// The labels as the templates' format writes them. `task` must outlive it.
WriteAnswer label_writer(const Task& task) {
  return [&task](const Labels& labels) {
    return format_labels(task.label_set.names_of(labels), task.label_set.kind(),
                         task.options.templates.label_format);
  };
}

struct Ratio {
  double multilabel_ratio;
  std::string_view name;  // in ids
};

constexpr std::array kRatios = {Ratio{0.0, "0.0"},     Ratio{1 / 5.0, "0.2"}, Ratio{2 / 5.0, "0.4"},
                                Ratio{3 / 5.0, "0.6"}, Ratio{4 / 5.0, "0.8"}, Ratio{1.0, "1.0"}};

}  // namespace

std::vector<Query> make_completions(const Task& task, const WriteAnswer& write_answer) {
  Completions completions(task, task.options.sampling, write_answer);
  std::vector<Query> made;
  made.reserve(task.queries.size());
  for (const Example& example : task.queries) {
    made.push_back(completions.next(example));
  }
  return made;
}

std::vector<Query> make_baseline(const Task& task) {
  return make_completions(task, label_writer(task));
}

std::vector<TrainingText> make_training_texts(const Task& task) {
  LABELPROBE_CHECK(task.options.mode == PromptMode::Completion);
  Completions completions(task, task.options.sampling, label_writer(task));
  std::vector<TrainingText> made;
  made.reserve(task.queries.size());
  for (const Example& example : task.queries) made.push_back(completions.next_with_labels(example));
  return made;
}

// With the multi-label sampler whatever strategy is asked for, as published.
std::vector<Query> make_multilabel_icl(const Task& task) {
  if (!task.label_set.is_multilabel()) {
    throw ConfigError(
        "distribution multilabel_ICL: expected a data set with several labels per example, found a "
        "single-label one; use baseline, unary or binary");
  }
  std::vector<std::unique_ptr<Completions>> completions;
  for (const Ratio& ratio : kRatios) {
    completions.push_back(std::make_unique<Completions>(
        task, SamplingStrategy{SamplingStrategy::Kind::Multilabel, ratio.multilabel_ratio},
        label_writer(task)));
  }
  std::vector<Query> made;
  made.reserve(task.queries.size() * kRatios.size());
  for (const Example& example : task.queries) {
    for (std::size_t i = 0; i < kRatios.size(); ++i) {
      made.push_back(completions[i]->next(example));
      made.back().item.form = &kRatioItems;
      made.back().item.parts = {std::string(kRatios[i].name)};
    }
  }
  return made;
}

}  // namespace labelprobe::prompt
