// Contrastive labels: the published code lists them, misspelt, and raises NotImplementedError;
// neither it nor the paper says which labels they would be. Both spellings are known here so that
// the message can say so.
#include "labelprobe/prompt/label_mode.h"

#include <algorithm>
#include <array>
#include <numeric>

#include <fmt/core.h>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/error.h"

#include "prompt/sampling/label_draws.h"

namespace labelprobe::prompt {

namespace {

// The published code spells the last one "constrastive".
constexpr auto kModes =
    enum_names<LabelMode>("label mode",
                          {{LabelMode::Random, "random"},
                           {LabelMode::Distribution, "distribution"},
                           {LabelMode::Predictions, "preds"},
                           {LabelMode::Opposite, "opposite"},
                           {LabelMode::Contrastive, "contrastive", "constrastive"}});

}  // namespace

LabelMode parse_label_mode(std::string_view name) {
  if (name.empty() || name == "None") {
    return LabelMode::Gold;
  }
  return kModes.parse(name);
}

LabelDraws::LabelDraws(std::span<const Example> train,
                       const LabelSet& label_set,
                       const QueryOptions& options,
                       std::initializer_list<AskedMode> asked)
    : train_(train),
      label_set_(label_set),
      options_(options.labels),
      seed_(options.seed),
      label_format_(options.templates.label_format) {
  for (const AskedMode& one : asked) {
    check(one);
  }
  const bool is_distribution = std::any_of(asked.begin(), asked.end(), [](const AskedMode& one) {
    return one.mode == LabelMode::Distribution;
  });
  if (is_distribution && options_.same_length) {
    measure_labels();
  }
}

void LabelDraws::check(const AskedMode& asked) const {
  const std::string option(asked.option);
  if (asked.mode == LabelMode::Contrastive) {
    throw ConfigError(option +
                      " 'contrastive': no rule says which labels these are (the published code "
                      "names it without one); use random, distribution, preds or opposite");
  }
  if (asked.mode == LabelMode::Opposite && (label_set_.is_multilabel() || label_set_.size() != 2)) {
    throw ConfigError(
        fmt::format("{} 'opposite': expected a single-label set of two labels, found a {}-label "
                    "set of {}; use random or distribution",
                    option, label_set_.is_multilabel() ? "multi" : "single", label_set_.size()));
  }
  if (asked.mode == LabelMode::Distribution && options_.same_length && !options_.n_tokens) {
    throw ConfigError(option +
                      " 'distribution' with labels of the same length: expected a tokenizer to "
                      "measure them, found none; give a model or leave the length out");
  }
}

void LabelDraws::measure_labels() {
  std::map<Labels, int> known;  // few sets of labels, many examples
  for (std::size_t i = 0; i < train_.size(); ++i) {
    auto found = known.find(train_[i].labels);
    if (found == known.end()) {
      found = known.emplace(train_[i].labels, n_label_tokens(train_[i].labels)).first;
    }
    positions_by_n_tokens_[found->second].push_back(static_cast<int>(i));
  }
}

bool LabelDraws::has_own_seed() const {
  // With the same seed twice, the labels would be drawn as the demonstrations were.
  return options_.randomization_seed && *options_.randomization_seed != seed_;
}

void LabelDraws::seed(python::Random& random) const {
  if (has_own_seed()) {
    random.seed(*options_.randomization_seed);
  }
}

Labels LabelDraws::draw(LabelMode mode, const Example& example, python::Random& random) const {
  switch (mode) {
    case LabelMode::Gold:
      return example.labels;
    case LabelMode::Random:
      return draw_random(random);
    case LabelMode::Distribution:
      return draw_from_distribution(example, random);
    case LabelMode::Predictions:
      if (!example.prior_labels) {
        throw ConfigError(fmt::format(
            "label mode 'preds': expected the labels that an earlier run predicted for every "
            "example shown, found none for '{}'; give the log of a run that asked about it",
            example.id()));
      }
      return *example.prior_labels;
    case LabelMode::Opposite:
      return {1 - example.labels.at(0)};
    case LabelMode::Contrastive:
      break;
  }
  throw InternalError("a label mode that check() has not refused");
}

Labels LabelDraws::draw_random(python::Random& random) const {
  if (!label_set_.is_multilabel()) {
    return {
        static_cast<LabelIndex>(random.randbelow(static_cast<std::uint32_t>(label_set_.size())))};
  }
  std::vector<int> all(static_cast<std::size_t>(label_set_.size()));
  std::iota(all.begin(), all.end(), 0);
  const auto n_drawn = static_cast<int>(random.randint(0, label_set_.size()));
  Labels labels = random.sample(all, n_drawn);
  std::sort(labels.begin(), labels.end());
  return labels;
}

Labels LabelDraws::draw_from_distribution(const Example& example, python::Random& random) const {
  if (train_.empty()) {
    throw ConfigError(
        "label mode 'distribution': expected training examples to take labels from, "
        "found none; give a train split");
  }
  if (!options_.same_length) {
    return random.choice(train_).labels;
  }
  const int n_tokens = n_label_tokens(example.labels);
  const auto found = positions_by_n_tokens_.find(n_tokens);
  if (found == positions_by_n_tokens_.end()) {
    throw ConfigError(fmt::format(
        "label mode 'distribution' with labels of the same length: expected a training example "
        "whose labels have {} tokens, as those of '{}' have, found none; leave the length out",
        n_tokens, example.id()));
  }
  const int position = random.choice(std::span<const int>(found->second));
  return train_[static_cast<std::size_t>(position)].labels;
}

int LabelDraws::n_label_tokens(const Labels& labels) const {
  return options_.n_tokens(
      format_labels(label_set_.names_of(labels), label_set_.kind(), label_format_));
}

}  // namespace labelprobe::prompt
