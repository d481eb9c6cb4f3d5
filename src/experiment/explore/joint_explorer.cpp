#include "experiment/explore/joint_explorer.h"

#include <algorithm>
#include <utility>

#include "labelprobe/core/error.h"

namespace labelprobe::experiment {

namespace {

bool looks_inside(const model::Observe& observe) {
  return !observe.watched.empty() || !observe.hidden_layers.empty() || observe.shows_lens ||
         observe.shows_parts;
}

// Notes who asks.
class OwnedFrontier final : public model::Frontier {
 public:
  OwnedFrontier(model::Frontier& next, std::map<int, std::size_t>& owners, std::size_t owner)
      : next_(next), owners_(owners), owner_(owner) {}

  int add(int parent, TokenId token) override { return owned(next_.add(parent, token)); }
  int add(int parent, TokenId token, const model::Look& look) override {
    return owned(next_.add(parent, token, look));
  }

 private:
  int owned(int place) {
    owners_.emplace(place, owner_);
    return place;
  }

  model::Frontier& next_;
  std::map<int, std::size_t>& owners_;
  std::size_t owner_;
};

}  // namespace

JointExplorer::JointExplorer(std::vector<model::Explorer*> explorers)
    : explorers_(std::move(explorers)) {}

model::ExploreOptions JointExplorer::joined(std::span<const model::ExploreOptions> options) {
  model::ExploreOptions all;
  all.reach = {{}};
  for (const model::ExploreOptions& one : options) {
    LABELPROBE_CHECK(one.reach.size() == 1 && !one.reads_prompts);
    const int n_top_tokens = std::max(all.observe.n_top_tokens, one.observe.n_top_tokens);
    const bool shows_logits = all.observe.shows_logits || one.observe.shows_logits;
    if (looks_inside(one.observe)) {
      LABELPROBE_CHECK(!looks_inside(all.observe));
      all.observe = one.observe;
    }
    all.observe.n_top_tokens = n_top_tokens;
    all.observe.shows_logits = shows_logits;
    all.reach[0].n_places += one.reach[0].n_places;
    all.reach[0].depth = std::max(all.reach[0].depth, one.reach[0].depth);
  }
  return all;
}

void JointExplorer::begin(std::size_t prompt) {
  owners_[prompt].clear();
  for (model::Explorer* explorer : explorers_) explorer->begin(prompt);
}

void JointExplorer::answer(std::size_t prompt, const model::Generation& answer) {
  for (model::Explorer* explorer : explorers_) explorer->answer(prompt, answer);
}

void JointExplorer::reach(const model::Place& place) {
  if (place.id != 0) {
    explorers_[owners_.at(place.prompt).at(place.id)]->reach(place);
    return;
  }
  for (model::Explorer* explorer : explorers_) explorer->reach(place);
}

void JointExplorer::grow(std::size_t prompt, model::Frontier& next) {
  for (std::size_t i = 0; i < explorers_.size(); ++i) {
    OwnedFrontier owned(next, owners_.at(prompt), i);
    explorers_[i]->grow(prompt, owned);
  }
}

void JointExplorer::finish(std::size_t prompt, const std::optional<std::string>& failure) {
  owners_.erase(prompt);
  for (model::Explorer* explorer : explorers_) explorer->finish(prompt, failure);
}

}  // namespace labelprobe::experiment
