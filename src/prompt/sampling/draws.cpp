#include <algorithm>
#include <limits>
#include <numeric>

#include <fmt/core.h>

#include "labelprobe/core/error.h"

#include "prompt/sampling/candidates.h"

namespace labelprobe::prompt {

using Candidates = Sampler::Candidates;

void throw_too_few(const Candidates& candidates,
                   int n_needed,
                   std::size_t n_found,
                   const std::string& what) {
  throw ConfigError(
      fmt::format("sampling strategy '{}' with {} shots: expected at least {} training examples "
                  "{}, found {}; use fewer shots or another strategy",
                  candidates.strategy.name(), candidates.n_shots, n_needed, what, n_found));
}

std::string of_annotator(std::string_view annotator) {
  return fmt::format("of annotator '{}'", annotator);
}

const Candidates::Pool& pool_of(const Candidates& candidates, std::string_view annotator) {
  const auto found = candidates.pools.find(annotator);
  if (found == candidates.pools.end()) {
    throw_too_few(candidates, candidates.n_shots, 0, of_annotator(annotator));
  }
  return found->second;
}

namespace {

std::vector<int> draw_from(python::Random& random,
                           const Candidates& candidates,
                           std::span<const int> positions,
                           int n_needed,
                           const std::string& what) {
  if (positions.size() < static_cast<std::size_t>(n_needed)) {
    throw_too_few(candidates, n_needed, positions.size(), what);
  }
  return random.sample(positions, n_needed);
}

// One attempt at showing every label: examples of labels not shown yet, the last of them one that
// shows all that are left, if there is one. False if shots run out before labels do.
bool try_cover(const Candidates& candidates,
               const Candidates::Pool& pool,
               python::Random& random,
               std::vector<int>& taken) {
  const std::size_t n_labels = pool.classes.size() - 1;  // without `none`
  Labels missing(n_labels);
  std::iota(missing.begin(), missing.end(), 0);
  taken.clear();
  for (int n_left = candidates.n_shots; n_left > 0 && !missing.empty(); --n_left) {
    // Published: a choice from a set of strings, whose order changes from run to run.
    const LabelIndex label = random.choice(std::span<const LabelIndex>(missing));
    const std::vector<int>& positions = pool.classes[static_cast<std::size_t>(label)];
    const auto labels_of = [&](int position) -> const Labels& {
      return candidates.labels[static_cast<std::size_t>(position)];
    };
    int position = 0;
    if (n_left > 1) {
      position = random.choice(std::span<const int>(positions));
    } else {
      const auto found = std::find_if(positions.begin(), positions.end(),
                                      [&](int at) { return labels_of(at) == missing; });
      position = found != positions.end() ? *found : positions.back();
    }
    taken.push_back(position);
    std::erase_if(missing, [&](LabelIndex shown) {
      const Labels& labels = labels_of(position);
      return std::binary_search(labels.begin(), labels.end(), shown);
    });
  }
  return missing.empty();
}

}  // namespace

std::vector<int> draw_random(const Candidates& candidates,
                             const DrawRequest& request,
                             python::Random& random) {
  return draw_from(random, candidates, pool_of(candidates, request.annotator).positions,
                   candidates.n_shots, of_annotator(request.annotator));
}

// Examples until every label has been shown, then any. Where shots run out, other seeds are tried.
std::vector<int> draw_complete(const Candidates& candidates,
                               const DrawRequest& request,
                               python::Random& random) {
  const std::string_view annotator = request.annotator;
  std::int64_t seed = request.seed;
  const Candidates::Pool& pool = pool_of(candidates, annotator);
  for (std::size_t label = 0; label + 1 < pool.classes.size(); ++label) {
    if (pool.classes[label].empty()) {
      throw_too_few(
          candidates, 1, 0,
          fmt::format("labelled '{}' {}", candidates.class_names[label], of_annotator(annotator)));
    }
  }
  std::vector<int> taken;
  for (int attempt = 0; attempt < candidates.strategy.n_retries; ++attempt) {
    random.seed(seed);
    if (!try_cover(candidates, pool, random, taken)) {
      random.seed(seed);
      seed = random.randint(0, std::numeric_limits<std::uint32_t>::max());
      continue;
    }
    const int n_left = candidates.n_shots - static_cast<int>(taken.size());
    const std::vector<int> rest =
        draw_from(random, candidates, pool.position_set.difference_of_sets(taken).items(), n_left,
                  of_annotator(annotator) + ", not drawn for a label");
    taken.insert(taken.end(), rest.begin(), rest.end());
    return taken;
  }
  throw ConfigError(
      fmt::format("sampling strategy 'complete' with {} shots: expected to show all {} labels, "
                  "failed in {} attempts; use more shots, more retries or another strategy",
                  candidates.n_shots, pool.classes.size() - 1, candidates.strategy.n_retries));
}

// An equal share for every class, the rest from anywhere. Candidates stand in the order of Python's
// sets, because the published code drew from sets.
std::vector<int> draw_uniform(const Candidates& candidates,
                              const DrawRequest& request,
                              python::Random& random) {
  const std::string_view annotator = request.annotator;
  const Candidates::Pool& pool = pool_of(candidates, annotator);
  const int n_per_class = candidates.n_shots / static_cast<int>(pool.class_sets.size());
  std::vector<int> taken;
  const auto take = [&](const python::PythonSet& from, int n_needed, const std::string& what) {
    const std::vector<int> drawn =
        draw_from(random, candidates, from.difference(taken).items(), n_needed, what);
    taken.insert(taken.end(), drawn.begin(), drawn.end());
  };
  if (n_per_class > 0) {
    for (std::size_t i = 0; i < pool.class_sets.size(); ++i) {
      take(pool.class_sets[i], n_per_class,
           fmt::format("labelled '{}' {}, not drawn for an earlier label",
                       candidates.class_names[i], of_annotator(annotator)));
    }
  }
  if (const int n_left = candidates.n_shots - static_cast<int>(taken.size()); n_left > 0) {
    take(pool.position_set, n_left, of_annotator(annotator) + ", not drawn for a label");
  }
  random.shuffle(taken);
  return taken;
}

std::vector<int> draw_multilabel(const Candidates& candidates,
                                 const DrawRequest& /*request*/,
                                 python::Random& random) {
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

}  // namespace labelprobe::prompt
