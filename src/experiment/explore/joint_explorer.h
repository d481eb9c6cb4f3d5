// Several explorers over the same computed prompts.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "labelprobe/model/language_model.h"

namespace labelprobe::experiment {

// Each explorer is told of the prompts and of the places it has asked for, as if it were alone.
class JointExplorer final : public model::Explorer {
 public:
  // References the explorers.
  explicit JointExplorer(std::vector<model::Explorer*> explorers);

  // What explore() is to be called with for all of them, by what it would be for each: what any
  // observes, and the places of all. Each reach has one element, and no more than one of them
  // watches tokens or looks inside.
  static model::ExploreOptions joined(std::span<const model::ExploreOptions> options);

  void begin(std::size_t prompt) override;
  void answer(std::size_t prompt, const model::Generation& answer) override;
  void reach(const model::Place& place) override;
  void grow(std::size_t prompt, model::Frontier& next) override;
  void finish(std::size_t prompt, const std::optional<std::string>& failure) override;

 private:
  std::vector<model::Explorer*> explorers_;
  std::map<std::size_t, std::map<int, std::size_t>> owners_;  // by open prompt and place
};

}  // namespace labelprobe::experiment
