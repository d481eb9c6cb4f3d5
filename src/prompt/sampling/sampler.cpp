#include "labelprobe/prompt/sampler.h"

#include <array>
#include <charconv>

#include <fmt/core.h>

#include "labelprobe/core/error.h"

#include "prompt/sampling/candidates.h"

namespace labelprobe::prompt {

namespace {

using Candidates = Sampler::Candidates;

// Every strategy we know, in the order --help shows them.
struct Entry {
  std::string_view name;
  std::string_view summary;
  SamplingStrategy::Kind kind;
  Draw draw;
};

constexpr std::array kSamplers = {
    Entry{"random", "any examples of the query's annotator", SamplingStrategy::Kind::Random,
          draw_random},
    Entry{"complete", "every label at least once, the rest from anywhere",
          SamplingStrategy::Kind::Complete, draw_complete},
    Entry{"similarity", "the examples whose sentences resemble the query's most, nearest first",
          SamplingStrategy::Kind::Similarity, draw_similar},
    Entry{"uniform", "equally many examples of every label, the rest from anywhere",
          SamplingStrategy::Kind::Uniform, draw_uniform},
    Entry{"multilabel",
          "half of the examples with several labels, half with exactly one; multilabel_R: the "
          "share R, from 0 to 1",
          SamplingStrategy::Kind::Multilabel, draw_multilabel},
};

const Entry& entry_of(SamplingStrategy::Kind kind) {
  for (const Entry& entry : kSamplers) {
    if (entry.kind == kind) {
      return entry;
    }
  }
  throw InternalError("sampling strategy without an entry in the table");
}

void take_vectors(Candidates& candidates,
                  std::size_t n_train,
                  std::shared_ptr<const SentenceVectors> vectors) {
  if (!vectors) {
    throw ConfigError(
        "sampling strategy 'similarity': expected sentence vectors, found none; give "
        "--sentence-vectors FILE or --sentence-model-name-or-path MODEL");
  }
  LABELPROBE_CHECK(vectors->n_dims > 0);
  LABELPROBE_CHECK(vectors->train.size() == n_train * static_cast<std::size_t>(vectors->n_dims));
  candidates.lengths = lengths_of(vectors->train, vectors->n_dims);
  candidates.vectors = std::move(vectors);
}

constexpr std::string_view kRatioPrefix = "multilabel_";

void list_classes(Candidates& candidates,
                  std::span<const Example> train,
                  const LabelSet& label_set) {
  LABELPROBE_CHECK(label_set.size() > 0);
  for (const Example& example : train) {
    candidates.labels.push_back(example.labels);
  }
  for (auto& [annotator, pool] : candidates.pools) {
    std::vector<std::vector<int>> classes(candidates.class_names.size());
    for (const int position : pool.positions) {
      const Labels& labels = train[static_cast<std::size_t>(position)].labels;
      for (const LabelIndex label : labels) {
        LABELPROBE_CHECK(label >= 0 && label < label_set.size());
        classes[static_cast<std::size_t>(label)].push_back(position);
      }
      if (labels.empty()) {
        LABELPROBE_CHECK(label_set.is_multilabel());
        classes.back().push_back(position);  // `none`, the last name of multi-label sets
      }
    }
    pool.position_set = python::PythonSet(pool.positions);
    if (candidates.strategy.kind == SamplingStrategy::Kind::Uniform) {
      for (const std::vector<int>& positions : classes) {
        pool.class_sets.emplace_back(positions);
      }
    }
    pool.classes = std::move(classes);
  }
}

}  // namespace

SamplingStrategy SamplingStrategy::parse(std::string_view name) {
  if (name.empty() || name == "None") {
    return {};
  }
  for (const Entry& entry : kSamplers) {
    if (name == entry.name) {
      return {.kind = entry.kind};
    }
  }
  if (name.starts_with(kRatioPrefix)) {
    const std::string_view number = name.substr(kRatioPrefix.size());
    double ratio = -1;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), ratio);
    if (error == std::errc() && end == number.data() + number.size() && ratio >= 0 && ratio <= 1) {
      return {Kind::Multilabel, ratio};
    }
    throw ConfigError(fmt::format(
        "sampling strategy '{}': expected a share from 0 to 1 after 'multilabel_', found '{}'",
        name, number));
  }
  std::vector<std::string> known;
  for (const Entry& entry : kSamplers) {
    known.emplace_back(entry.name);
  }
  known.emplace_back("multilabel_R");
  throw ConfigError(unknown_choice("sampling strategy", name, known));
}

std::string SamplingStrategy::name() const {
  std::string name(entry_of(kind).name);
  if (kind == Kind::Multilabel && multilabel_ratio != SamplingStrategy{}.multilabel_ratio) {
    char digits[32];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, multilabel_ratio);
    LABELPROBE_CHECK(error == std::errc());
    name.append("_").append(digits, end);
  }
  return name;
}

std::vector<SamplerInfo> samplers() {
  std::vector<SamplerInfo> infos;
  for (const Entry& entry : kSamplers) {
    infos.push_back({std::string(entry.name), std::string(entry.summary)});
  }
  return infos;
}

Sampler::Sampler(std::span<const Example> train,
                 const LabelSet& label_set,
                 SamplingStrategy strategy,
                 int n_shots,
                 std::shared_ptr<const SentenceVectors> vectors) {
  const bool is_for_multilabel = strategy.kind == SamplingStrategy::Kind::Multilabel ||
                                 strategy.kind == SamplingStrategy::Kind::Complete;
  if (is_for_multilabel && !label_set.is_multilabel()) {
    throw ConfigError(
        fmt::format("sampling strategy '{}': expected a data set with several labels per example, "
                    "found a single-label one; use 'uniform' or 'random'",
                    strategy.name()));
  }
  if (strategy.n_retries < 1) {
    throw ConfigError(fmt::format("retries: expected 1 or more, found {}", strategy.n_retries));
  }
  if (n_shots < 0) {
    throw ConfigError(fmt::format("shots: expected 0 or more, found {}", n_shots));
  }
  auto candidates = std::make_shared<Candidates>();
  candidates->strategy = strategy;
  candidates->n_shots = n_shots;
  candidates->class_names = label_set.names_with_none();
  for (std::size_t i = 0; i < train.size(); ++i) {
    const int position = static_cast<int>(i);
    const std::size_t n_labels = train[i].labels.size();
    candidates->pools[train[i].annotator].positions.push_back(position);
    if (n_labels > 1) {
      candidates->several_labels.push_back(position);
    } else if (n_labels == 1) {
      candidates->one_label.push_back(position);
    }
  }
  const bool needs_classes = strategy.kind == SamplingStrategy::Kind::Uniform ||
                             strategy.kind == SamplingStrategy::Kind::Complete;
  if (needs_classes && n_shots > 0) {
    list_classes(*candidates, train, label_set);
  }
  if (strategy.kind == SamplingStrategy::Kind::Similarity && n_shots > 0) {
    take_vectors(*candidates, train.size(), std::move(vectors));
  }
  candidates_ = std::move(candidates);
}

std::vector<int> Sampler::sample(std::int64_t seed, std::string_view annotator) const {
  python::Random random(seed);
  LABELPROBE_CHECK(candidates_->strategy.kind != SamplingStrategy::Kind::Similarity);
  return sample(random, {.seed = seed, .annotator = annotator});
}

std::vector<int> Sampler::sample(python::Random& random, const DrawRequest& request) const {
  if (candidates_->n_shots == 0) {
    return {};
  }
  if (candidates_->strategy.kind != SamplingStrategy::Kind::Similarity) {
    random.seed(request.seed);
  }
  std::vector<int> drawn = entry_of(candidates_->strategy.kind).draw(*candidates_, request, random);
  replace_own(*candidates_, request, random, drawn);
  return drawn;
}

}  // namespace labelprobe::prompt
