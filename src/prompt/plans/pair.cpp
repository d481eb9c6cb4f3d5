// Pair prompts: a text with a label, and whether the label is a reasonable one for it.
#include <limits>
#include <numeric>

#include "labelprobe/core/error.h"
#include "labelprobe/python/text.h"

#include "prompt/sampling/demonstrations.h"
#include "prompt/sampling/label_draws.h"

namespace labelprobe::prompt {

namespace {

// A query label is drawn until it names something; this often before we say that it never will.
constexpr int kMaxQueryDraws = 10000;

struct PairDemonstration {
  Demonstration shown;
  bool is_reasonable;
};

struct Drawn {
  std::vector<PairDemonstration> demonstrations;
  ShownExamples shown;
  python::Random random;  // where the draws ended
};

class PairPrompts {
 public:
  explicit PairPrompts(const Task& task);

  Query make(const Example& example, const Drawn& drawn);
  Drawn draw(python::Random& random, const DrawRequest& request) const;

 private:
  Labels draw_query_labels(const Example& example, python::Random& random) const;
  std::string format(const Labels& labels) const;

  const Task& task_;
  const PairOptions& options_;
  const Templates& templates_;
  Sampler sampler_;
  LabelDraws labels_;
  ChainsOfThought cots_;
  python::Random unseeded_;  // without demonstrations nothing is seeded again from query to query
};

PairPrompts::PairPrompts(const Task& task)
    : task_(task),
      options_(task.options.pair),
      templates_(task.options.templates),
      sampler_(task.train,
               task.label_set,
               task.options.sampling,
               task.options.n_shots,
               task.options.vectors),
      labels_(task.train,
              task.label_set,
              task.options,
              {{options_.unreasonable_labels, "reasonableness label mode"},
               {options_.query_label, "query label mode"}}),
      cots_(task.options),
      unseeded_(task.options.seed) {
  LABELPROBE_CHECK(templates_.pair_words.size() == 2);
  if (!(options_.unreasonable_rate >= 0 && options_.unreasonable_rate <= 1)) {
    throw ConfigError("unreasonable rate: expected a share from 0 to 1, found " +
                      std::to_string(options_.unreasonable_rate));
  }
  if (options_.unreasonable_labels == LabelMode::Gold) {
    throw ConfigError(
        "reasonableness label mode: expected where unreasonable labels come from (random, "
        "distribution), found none; the example's own labels are reasonable");
  }
}

// The published code seeds anew for every demonstration where label draws have a seed of their own,
// so that all get the same labels; here they are seeded once.
Drawn PairPrompts::draw(python::Random& random, const DrawRequest& request) const {
  const std::vector<int> positions = sampler_.sample(random, request);
  std::vector<int> all(positions.size());
  std::iota(all.begin(), all.end(), 0);
  const auto n_unreasonable =
      static_cast<int>(options_.unreasonable_rate * static_cast<double>(positions.size()));
  std::vector<bool> is_reasonable(positions.size(), true);
  for (const int at : random.sample(all, n_unreasonable)) {
    is_reasonable[static_cast<std::size_t>(at)] = false;
  }
  if (n_unreasonable > 0) {
    labels_.seed(random);
  }
  Drawn drawn{{}, {}, random};
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const Example& example = task_.train[static_cast<std::size_t>(positions[i])];
    const LabelMode mode = is_reasonable[i] ? LabelMode::Gold : options_.unreasonable_labels;
    drawn.demonstrations.push_back(
        {{&example, labels_.draw(mode, example, random)}, is_reasonable[i]});
    drawn.shown.push_back(&example);
  }
  drawn.random = random;
  return drawn;
}

// Never `none` of a multi-label set, unless that is the gold or predicted label.
Labels PairPrompts::draw_query_labels(const Example& example, python::Random& random) const {
  const LabelMode mode = options_.query_label;
  if (mode == LabelMode::Gold || mode == LabelMode::Predictions) {
    return labels_.draw(mode, example, random);
  }
  labels_.seed(random);
  for (int i = 0; i < kMaxQueryDraws; ++i) {
    Labels labels = labels_.draw(mode, example, random);
    if (!labels.empty()) {
      return labels;
    }
    if (labels_.has_own_seed()) {
      random.seed(random.randint(0, std::numeric_limits<std::uint32_t>::max()));
    }
  }
  throw ConfigError("query label mode: expected training examples with labels for '" +
                    example.id() + "', found only ones without");
}

std::string PairPrompts::format(const Labels& labels) const {
  return format_labels(task_.label_set.names_of(labels), task_.label_set.kind(),
                       templates_.label_format);
}

// Draws for the query come before those of chains of thought, as published.
Query PairPrompts::make(const Example& example, const Drawn& drawn) {
  python::Random continued = drawn.random;
  python::Random& random = task_.options.n_shots == 0 ? unseeded_ : continued;
  Query query = start_query(example, drawn.shown, task_.options);
  query.gold = example.labels;
  query.checked_label = format(draw_query_labels(example, random));
  std::string whole = templates_.system + templates_.instruction;
  for (const PairDemonstration& demonstration : drawn.demonstrations) {
    const Example& shown = *demonstration.shown.example;
    whole += fill_pair_incontext(templates_, shown.text, format(demonstration.shown.labels),
                                 templates_.pair_words[demonstration.is_reasonable ? 1 : 0],
                                 cots_.draw(shown, random));
  }
  whole += fill_pair_query(templates_, example.text, query.checked_label);
  query.text = python::strip(whole);
  return query;
}

}  // namespace

std::vector<std::string> pair_words(const PairOptions& options) {
  return options.yes_no ? std::vector<std::string>{"no", "yes"}
                        : std::vector<std::string>{"unreasonable", "reasonable"};
}

std::vector<Query> make_pairs(const Task& task) {
  PairPrompts prompts(task);
  PerQuery<Drawn> drawn(task, task.options.sampling,
                        [&](python::Random& random, const DrawRequest& request) {
                          return prompts.draw(random, request);
                        });
  std::vector<Query> made;
  made.reserve(task.queries.size());
  for (const Example& example : task.queries) {
    made.push_back(prompts.make(example, drawn.next()));
  }
  return made;
}

}  // namespace labelprobe::prompt
