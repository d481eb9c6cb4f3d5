#include "labelprobe/prompt/sampler.h"

#include <array>
#include <charconv>
#include <functional>
#include <map>

#include "labelprobe/core/error.h"

#include "python_set.h"

namespace labelprobe::prompt {

// What can be drawn, listed once per training set. Only the lists of the chosen strategy are
// filled.
struct Sampler::Candidates {
  struct Pool {
    std::vector<int> positions;         // ascending
    PythonSet position_set;             // Uniform
    std::vector<PythonSet> class_sets;  // Uniform: one per name of LabelSet::names_with_none()
  };

  SamplingStrategy strategy;
  int n_shots = 0;
  std::vector<std::string> class_names;            // LabelSet::names_with_none()
  std::map<std::string, Pool, std::less<>> pools;  // by annotator
  std::vector<int> several_labels;                 // Multilabel: of all annotators, ascending
  std::vector<int> one_label;                      // Multilabel: of all annotators, ascending
};

namespace {

using Candidates = Sampler::Candidates;

[[noreturn]] void throw_too_few(const Candidates& candidates,
                                int n_needed,
                                std::size_t n_found,
                                const std::string& what) {
  throw ConfigError("sampling strategy '" + candidates.strategy.name() + "' with " +
                    std::to_string(candidates.n_shots) + " shots: expected at least " +
                    std::to_string(n_needed) + " training examples " + what + ", found " +
                    std::to_string(n_found) + "; use fewer shots or another strategy");
}

std::vector<int> draw_from(Random& random,
                           const Candidates& candidates,
                           std::span<const int> positions,
                           int n_needed,
                           const std::string& what) {
  if (positions.size() < static_cast<std::size_t>(n_needed)) {
    throw_too_few(candidates, n_needed, positions.size(), what);
  }
  return random.sample(positions, n_needed);
}

std::string of_annotator(std::string_view annotator) {
  return "of annotator '" + std::string(annotator) + "'";
}

const Candidates::Pool& pool_of(const Candidates& candidates, std::string_view annotator) {
  const auto found = candidates.pools.find(annotator);
  if (found == candidates.pools.end()) {
    throw_too_few(candidates, candidates.n_shots, 0, of_annotator(annotator));
  }
  return found->second;
}

std::vector<int> draw_random(const Candidates& candidates,
                             std::string_view annotator,
                             Random& random) {
  return draw_from(random, candidates, pool_of(candidates, annotator).positions, candidates.n_shots,
                   of_annotator(annotator));
}

// An equal share for every class, the rest from anywhere. Candidates stand in the order of Python's
// sets, because the published code drew from sets.
std::vector<int> draw_uniform(const Candidates& candidates,
                              std::string_view annotator,
                              Random& random) {
  const Candidates::Pool& pool = pool_of(candidates, annotator);
  const int n_per_class = candidates.n_shots / static_cast<int>(pool.class_sets.size());
  std::vector<int> taken;
  const auto take = [&](const PythonSet& from, int n_needed, const std::string& what) {
    const std::vector<int> drawn =
        draw_from(random, candidates, from.difference(taken).items(), n_needed, what);
    taken.insert(taken.end(), drawn.begin(), drawn.end());
  };
  if (n_per_class > 0) {
    for (std::size_t i = 0; i < pool.class_sets.size(); ++i) {
      take(pool.class_sets[i], n_per_class,
           "labelled '" + candidates.class_names[i] + "' " + of_annotator(annotator) +
               ", not drawn for an earlier label");
    }
  }
  if (const int n_left = candidates.n_shots - static_cast<int>(taken.size()); n_left > 0) {
    take(pool.position_set, n_left, of_annotator(annotator) + ", not drawn for a label");
  }
  random.shuffle(taken);
  return taken;
}

std::vector<int> draw_multilabel(const Candidates& candidates,
                                 std::string_view /*annotator*/,
                                 Random& random) {
  const double ratio = candidates.strategy.multilabel_ratio;
  const int n_several = static_cast<int>(candidates.n_shots * ratio);
  std::vector<int> drawn =
      draw_from(random, candidates, candidates.several_labels, n_several, "with several labels");
  const std::vector<int> rest = draw_from(random, candidates, candidates.one_label,
                                          candidates.n_shots - n_several, "with exactly one label");
  drawn.insert(drawn.end(), rest.begin(), rest.end());
  random.shuffle(drawn);
  return drawn;
}

// Every strategy we know, in the order --help shows them.
struct Entry {
  std::string_view name;
  std::string_view summary;
  SamplingStrategy::Kind kind;
  std::vector<int> (*draw)(const Candidates&, std::string_view annotator, Random&);
};

constexpr std::array kSamplers = {
    Entry{"random", "any examples of the query's annotator", SamplingStrategy::Kind::Random,
          draw_random},
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

constexpr std::string_view kRatioPrefix = "multilabel_";

void list_classes(Candidates& candidates,
                  std::span<const Example> train,
                  const LabelSet& label_set) {
  LABELPROBE_CHECK(label_set.size() > 0);
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
    pool.position_set = PythonSet(pool.positions);
    for (const std::vector<int>& positions : classes) {
      pool.class_sets.emplace_back(positions);
    }
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
    throw ConfigError("sampling strategy '" + std::string(name) +
                      "': expected a share from 0 to 1 after 'multilabel_', found '" +
                      std::string(number) + "'");
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
                 int n_shots) {
  if (strategy.kind == SamplingStrategy::Kind::Multilabel && !label_set.is_multilabel()) {
    throw ConfigError("sampling strategy '" + strategy.name() +
                      "': expected a data set with several labels per example, found a "
                      "single-label one; use 'uniform' or 'random'");
  }
  if (n_shots < 0) {
    throw ConfigError("shots: expected 0 or more, found " + std::to_string(n_shots));
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
  if (strategy.kind == SamplingStrategy::Kind::Uniform && n_shots > 0) {
    list_classes(*candidates, train, label_set);
  }
  candidates_ = std::move(candidates);
}

std::vector<int> Sampler::sample(std::int64_t seed, std::string_view annotator) const {
  Random random(seed);
  return sample(random, seed, annotator);
}

std::vector<int> Sampler::sample(Random& random,
                                 std::int64_t seed,
                                 std::string_view annotator) const {
  if (candidates_->n_shots == 0) {
    return {};
  }
  random.seed(seed);
  return entry_of(candidates_->strategy.kind).draw(*candidates_, annotator, random);
}

}  // namespace labelprobe::prompt
