// Which training examples are shown as demonstrations, and in which order. Draws are CPython's, bit
// for bit.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/example.h"
#include "labelprobe/core/random.h"

namespace labelprobe::prompt {

struct SamplingStrategy {
  enum class Kind { Random, Uniform, Multilabel };

  Kind kind = Kind::Random;
  double multilabel_ratio = 0.5;  // Multilabel: share of demonstrations with several labels, 0 to 1

  // "random" (also "" and "None"), "uniform", "multilabel", "multilabel_R" with R from 0 to 1.
  // Throws ConfigError naming the known ones.
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
  // `train` must outlive the sampler. Throws ConfigError if the strategy does not fit the label
  // kind (multilabel on a single-label set), or the set has too few examples for `n_shots`.
  Sampler(std::span<const Example> train,
          const LabelSet& label_set,
          SamplingStrategy strategy,
          int n_shots);

  // Positions in `train`, in prompt order. Re-seeds with `seed` first, so equal seeds give equal
  // demonstrations.
  //   annotator  whose items may be drawn, normally `aggregate`
  std::vector<int> sample(std::int64_t seed, std::string_view annotator) const;

  // The same draw, leaving the generator where the draw ended: the breakdown builders go on with
  // it.
  std::vector<int> sample(Random& random, std::int64_t seed, std::string_view annotator) const;

 private:
  std::span<const Example> train_;
  const LabelSet* label_set_;
  SamplingStrategy strategy_;
  int n_shots_;
};

}  // namespace labelprobe::prompt
