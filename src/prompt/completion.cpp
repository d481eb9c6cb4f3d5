// Completion prompts: instruction, demonstrations and query in the user's templates.
#include <array>
#include <memory>

#include "labelprobe/core/error.h"
#include "labelprobe/core/text.h"

#include "builders.h"

namespace labelprobe::prompt {

namespace {

// What all prompts with the same demonstrations begin with.
struct Beginning {
  std::string text;
  std::vector<std::string> demonstration_ids;
};

Beginning begin_prompt(const Task& task,
                       const std::vector<Demonstration>& demonstrations,
                       const ChainsOfThought& cots,
                       Random& random) {
  const Templates& templates = task.options.templates;
  Beginning beginning{templates.system + templates.instruction, example_ids(demonstrations)};
  for (const Demonstration& shown : demonstrations) {
    const std::string label = format_labels(task.label_set.names_of(shown.labels),
                                            task.label_set.kind(), templates.label_format);
    beginning.text +=
        fill_incontext(templates, shown.example->text, label, cots.draw(*shown.example, random));
  }
  return beginning;
}

// The prompts of one sampling strategy, query after query.
class Completions {
 public:
  Completions(const Task& task, SamplingStrategy strategy)
      : task_(task),
        draws_(task, strategy),
        cots_(task.options),
        beginnings_(task, strategy, [this](Random& random, const DrawRequest& request) {
          const std::vector<Demonstration> shown = draws_.draw(random, request);
          return begin_prompt(task_, shown, cots_, random);
        }) {}
  Completions(const Completions&) = delete;  // the function made above holds on to this
  Completions& operator=(const Completions&) = delete;

  Query next(const Example& example) {
    const Beginning& beginning = beginnings_.next();
    Query query = start_query(example, beginning.demonstration_ids, task_.options);
    const std::string whole = beginning.text + fill_query(task_.options.templates, example.text);
    query.text = strip(whole);
    return query;
  }

 private:
  const Task& task_;
  DemonstrationDraws draws_;
  ChainsOfThought cots_;
  PerQuery<Beginning> beginnings_;
};

struct Ratio {
  double multilabel_ratio;
  std::string_view name;  // in ids
};

constexpr std::array kRatios = {Ratio{0.0, "0.0"},     Ratio{1 / 5.0, "0.2"}, Ratio{2 / 5.0, "0.4"},
                                Ratio{3 / 5.0, "0.6"}, Ratio{4 / 5.0, "0.8"}, Ratio{1.0, "1.0"}};

}  // namespace

std::vector<Query> make_baseline(const Task& task) {
  Completions completions(task, task.options.sampling);
  std::vector<Query> made;
  made.reserve(task.queries.size());
  for (const Example& example : task.queries) {
    made.push_back(completions.next(example));
  }
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
        task, SamplingStrategy{SamplingStrategy::Kind::Multilabel, ratio.multilabel_ratio}));
  }
  std::vector<Query> made;
  made.reserve(task.queries.size() * kRatios.size());
  for (const Example& example : task.queries) {
    for (std::size_t i = 0; i < kRatios.size(); ++i) {
      made.push_back(completions[i]->next(example));
      made.back().item.kind = ItemId::Kind::Ratio;
      made.back().item.ratio = kRatios[i].name;
    }
  }
  return made;
}

}  // namespace labelprobe::prompt
