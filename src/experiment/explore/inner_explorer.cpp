#include "experiment/explore/inner_explorer.h"

#include <utility>

#include "labelprobe/core/error.h"

namespace labelprobe::experiment {

InnerExplorer::InnerExplorer(std::span<const TokenIds> prompts, Places places, Sink sink)
    : prompts_(prompts), places_(std::move(places)), sink_(std::move(sink)) {}

model::ExploreOptions InnerExplorer::options_for(int max_new_tokens, int n_looks) {
  model::ExploreOptions options;
  options.observe.n_top_tokens = 1;
  // The tokens of the answer, and the looks at each of them and at the prompt's end.
  options.reach = {{max_new_tokens - 1 + n_looks * max_new_tokens, max_new_tokens - 1}};
  return options;
}

void InnerExplorer::begin(std::size_t prompt) {
  explorations_[prompt] = {};
}

void InnerExplorer::answer(std::size_t prompt, const model::Generation& answer) {
  Exploration& of = explorations_.at(prompt);
  of.answer = answer.token_ids;
  if (prompts_[prompt].size() > 1) of.places = places_(prompt, answer);
  of.seen.resize(of.places.size());
}

void InnerExplorer::reach(const model::Place& place) {
  Exploration& of = explorations_.at(place.prompt);
  const auto asked = of.asked.find(place.id);
  if (asked == of.asked.end()) return;
  LABELPROBE_CHECK(place.inside != nullptr);
  of.seen[asked->second] = {*place.inside, *place.step};
}

// The answer's tokens as far as they are needed, each place behind the tokens before it.
void InnerExplorer::grow(std::size_t prompt, model::Frontier& next) {
  Exploration& of = explorations_.at(prompt);
  if (std::exchange(of.is_asked, true)) return;
  int parent = 0;  // behind the prompt and n_written tokens of the answer
  std::int64_t n_written = 0;
  for (std::size_t i = 0; i < of.places.size(); ++i) {
    const InnerPlace& place = of.places[i];
    LABELPROBE_CHECK(place.index <= static_cast<std::int64_t>(of.answer.size()));
    if (place.index == 0) {
      of.asked.emplace(next.add(-1, prompts_[prompt].back(), place.look), i);
      continue;
    }
    for (; n_written < place.index - 1; ++n_written) {
      parent = next.add(parent, of.answer[static_cast<std::size_t>(n_written)]);
    }
    const TokenId last = of.answer[static_cast<std::size_t>(place.index) - 1];
    of.asked.emplace(next.add(parent, last, place.look), i);
  }
}

void InnerExplorer::finish(std::size_t prompt, const std::optional<std::string>& failure) {
  std::vector<InnerSight> seen;
  if (!failure) seen = std::move(explorations_.at(prompt).seen);
  explorations_.erase(prompt);
  sink_(prompt, std::move(seen));
}

}  // namespace labelprobe::experiment
