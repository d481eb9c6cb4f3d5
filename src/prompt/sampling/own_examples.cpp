// Queries that are training examples themselves, and what is shown in their place.
#include <algorithm>
#include <iterator>

#include <fmt/core.h>

#include "labelprobe/core/error.h"

#include "prompt/sampling/candidates.h"
#include "prompt/sampling/demonstrations.h"

namespace labelprobe::prompt {

namespace {

using StrategyKind = SamplingStrategy::Kind;

// The positions that serve the strategy as `drawn` does, ascending.
std::vector<int> find_alike(const Sampler::Candidates& candidates,
                            const DrawRequest& request,
                            int drawn) {
  const StrategyKind kind = candidates.strategy.kind;
  if (kind == StrategyKind::Multilabel) {
    const std::vector<int>& one = candidates.one_label;
    return std::binary_search(one.begin(), one.end(), drawn) ? one : candidates.several_labels;
  }
  std::vector<int> alike = pool_of(candidates, request.annotator).positions;
  if (kind == StrategyKind::Uniform || kind == StrategyKind::Complete) {
    const auto labels_of = [&](int at) -> const Labels& {
      return candidates.labels[static_cast<std::size_t>(at)];
    };
    std::erase_if(alike, [&](int at) { return labels_of(at) != labels_of(drawn); });
  }
  return alike;
}

}  // namespace

void replace_own(const Sampler::Candidates& candidates,
                 const DrawRequest& request,
                 python::Random& random,
                 std::vector<int>& drawn) {
  const auto is_own = [&](int position) {
    return std::find(request.own.begin(), request.own.end(), position) != request.own.end();
  };
  for (int& position : drawn) {
    if (!is_own(position)) continue;
    std::vector<int> others = find_alike(candidates, request, position);
    std::erase_if(others, [&](int other) {
      return is_own(other) || std::find(drawn.begin(), drawn.end(), other) != drawn.end();
    });
    if (others.empty()) {
      throw ConfigError(fmt::format(
          "sampling strategy '{}' with {} shots: expected an example {} to show in "
          "place of the query, which was drawn as its own demonstration, found none "
          "that serves as well; use fewer shots, another seed or another strategy",
          candidates.strategy.name(), candidates.n_shots, of_annotator(request.annotator)));
    }
    position = random.choice(std::span<const int>(others));
  }
}

bool is_same_example(const Example& query, const Example& shown, const QueryOptions& options) {
  return query.text == shown.text ||
         (options.ids_are_common && query.example_id == shown.example_id);
}

OwnExamples::OwnExamples(const Task& task) {
  if (task.options.own == OwnDemonstrations::Keep) return;
  for (std::size_t i = 0; i < task.train.size(); ++i) {
    by_text_[task.train[i].text].push_back(static_cast<int>(i));
    if (task.options.ids_are_common) {
      by_id_[task.train[i].example_id].push_back(static_cast<int>(i));
    }
  }
}

std::vector<int> OwnExamples::of(const Example& query) const {
  std::vector<int> own;
  for (const auto& [index, name] : {std::pair{&by_text_, std::string_view(query.text)},
                                    {&by_id_, std::string_view(query.example_id)}}) {
    if (const auto found = index->find(name); found != index->end()) {
      own.insert(own.end(), found->second.begin(), found->second.end());
    }
  }
  return own;
}

}  // namespace labelprobe::prompt
