// Which training examples are shown as demonstrations, and in which order. Draws are CPython's, bit
// for bit.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/example.h"
#include "labelprobe/core/random.h"

namespace labelprobe::prompt {

struct SamplingStrategy {
  enum class Kind { Random, Complete, Uniform, Multilabel };

  Kind kind = Kind::Random;
  double multilabel_ratio = 0.5;  // Multilabel: share of demonstrations with several labels, 0 to 1
  int n_retries = 3;  // Complete: attempts at showing all labels, each with another seed; 1 or more

  // "random" (also "" and "None"), "complete", "uniform", "multilabel", "multilabel_R" with R from
  // 0 to 1. Throws ConfigError naming the known ones.
  static SamplingStrategy parse(std::string_view name);
  std::string name() const;
};

// Names and one line each, in the order --help shows them.
struct SamplerInfo {
  std::string name;
  std::string summary;
};
std::vector<SamplerInfo> samplers();

// Draws demonstrations from one training set. The class lists are made once; sample() is cheap.
class Sampler {
 public:
  // Keeps no reference to `train`. Throws ConfigError if the strategy does not fit the label kind
  // (multilabel or complete on a single-label set) or n_shots is negative.
  Sampler(std::span<const Example> train,
          const LabelSet& label_set,
          SamplingStrategy strategy,
          int n_shots);

  // Positions in `train`, in prompt order; none if n_shots is 0. Re-seeds with `seed` first, so
  // equal seeds give equal demonstrations.
  //   annotator  whose items may be drawn, normally `aggregate`. Multilabel draws from the items of
  //              all annotators, as the published code does.
  // Throws ConfigError if there are too few examples of a kind the strategy needs, or
  // complete shows all labels in no attempt.
  std::vector<int> sample(std::int64_t seed, std::string_view annotator) const;

  // The same draw, leaving the generator where the draw ended: the breakdown builders go on with
  // it.
  std::vector<int> sample(Random& random, std::int64_t seed, std::string_view annotator) const;

  struct Candidates;

 private:
  std::shared_ptr<const Candidates> candidates_;
};

}  // namespace labelprobe::prompt
