// Looks inside the model at places along the greedy answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/model/language_model.h"

namespace labelprobe::experiment {

// The place that predicts a token of the answer, computed once more as `look` says.
struct InnerPlace {
  std::int64_t index = 0;  // of that token; 0: the place is the prompt's last token
  model::Look look;
};

// What is seen at a place, and what the model makes of the next token there.
struct InnerSight {
  model::Inside inside;
  model::Step step;
};

class InnerExplorer final : public model::Explorer {
 public:
  // Which places a prompt's answer has, by rising index.
  using Places =
      std::function<std::vector<InnerPlace>(std::size_t prompt, const model::Generation& answer)>;
  // Once for every prompt, in the order of its places; of a prompt that failed there are none, and
  // of one that is a single token, which cannot be computed once more behind anything.
  using Sink = std::function<void(std::size_t prompt, std::vector<InnerSight> seen)>;

  // References the prompts.
  InnerExplorer(std::span<const TokenIds> prompts, Places places, Sink sink);

  // What explore() is to be called with beside what is to be observed, where each place is looked
  // at no more than `n_looks` times: ExploreOptions::greedy has to be set.
  static model::ExploreOptions options_for(int max_new_tokens, int n_looks = 1);

  void begin(std::size_t prompt) override;
  void answer(std::size_t prompt, const model::Generation& answer) override;
  void reach(const model::Place& place) override;
  void grow(std::size_t prompt, model::Frontier& next) override;
  void finish(std::size_t prompt, const std::optional<std::string>& failure) override;

 private:
  struct Exploration {
    TokenIds answer;
    std::vector<InnerPlace> places;
    std::vector<InnerSight> seen;      // [places.size()]
    std::map<int, std::size_t> asked;  // place of the model -> one of places
    bool is_asked = false;
  };

  std::span<const TokenIds> prompts_;
  Places places_;
  Sink sink_;
  std::map<std::size_t, Exploration> explorations_;
};

}  // namespace labelprobe::experiment
